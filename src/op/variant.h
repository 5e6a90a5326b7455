/* SPDX-License-Identifier: MIT */
/*
 * An operation is a table of variants.  Row 0 is the plain one, which fits
 * every device; a later row is preferred to an earlier one.  A row is chosen
 * when it can run (fits), is meant for this class of device (suits), builds,
 * and has agreed with the plain C reference on this device; else the next
 * lower row is tried.  Before all of them comes the row that ANSER_VARIANT
 * names, then the one that was measured to be the fastest (op/select.h).
 * Tests and the self-test run all rows that fit.
 */
#ifndef ANSER_OP_VARIANT_H
#define ANSER_OP_VARIANT_H

#include "base/block.h"
#include "rt/buffer.h"
#include "rt/program.h"
#include "shared.h"

/* What an operation is asked for: the block type (matrices), the sizes. */
struct anser_need {
    uint32_t type;                   /* enum anser_type; 0 where no matrix  */
    uint32_t rows, cols;             /* of a matrix; else cols = C          */
    bool precise;                    /* float activations only              */
    bool sparse;                     /* x is of relu^2: many zeros          */
    uint32_t layouts;                /* bits of enum anser_layout that the
                                        weights may have; 0: all            */
};

struct anser_op;
struct anser_chosen;

/* The buffers of a matrix product. */
struct anser_product {
    cl_mem W, x, y;
};

struct anser_variant {
    const char *name;
    const char *file, *kernel;       /* in cl/                              */
    const char *options;             /* -D ..., TYPE comes on top           */
    /* Can this row serve?  One commented boolean. */
    bool (*fits)(const struct anser_caps *caps, const struct anser_need *need);
    /* Is it likely to be fast here?  NULL: everywhere. */
    bool (*suits)(const struct anser_caps *caps);
    /* The work-items for n by m pieces of work (see each operation). */
    struct anser_grid (*grid)(const struct anser_variant *v, uint32_t n,
                              uint32_t m);
    /* Of matrix products, NULL: nothing special.  What must be there before
     * the first run; how one is enqueued. */
    enum anser_status (*prepare)(anser_device *device,
                                 const struct anser_need *need);
    void (*run)(struct anser_queue *q, const struct anser_chosen *chosen,
                const struct matmul_args *args, const struct anser_product *p);
    bool risky;                      /* tried in another process first      */
    uint32_t layout;                 /* of the weights: enum anser_layout   */
    uint32_t wg, rows, tokens;       /* as in options                       */
    double bound;                    /* of max |error| / rms of the result  */
};

/* Who chose a row. */
enum anser_why {
    ANSER_WHY_PLAIN,                 /* nothing better serves               */
    ANSER_WHY_CLASS,                 /* fits, suits: the default here       */
    ANSER_WHY_TUNED,                 /* measured (op/tuning.h)              */
    ANSER_WHY_OVERRIDE               /* ANSER_VARIANT                       */
};

/* A variant with its kernel, ready on a device. */
struct anser_chosen {
    const struct anser_variant *variant;
    struct anser_kernel *kernel;
    enum anser_why why;
    const char *failed;              /* a preferred row that was wrong here */
};

struct anser_error {                 /* of a variant against ref            */
    double error, bound;             /* right if error <= bound (not NaN)   */
    char shape[64];
};

struct anser_op {
    const char *name;
    const struct anser_variant *rows;
    uint32_t n;
    bool typed;                      /* works on a matrix of blocks         */
    /* Runs the variant on made-up data and compares with ref. */
    enum anser_status (*check)(anser_device *device,
                               const struct anser_chosen *chosen,
                               const struct anser_need *need,
                               struct anser_error *error);
};

/* The best row that serves.  DEVICE_FAILED if not even row 0 does. */
enum anser_status anser_op_choose(anser_device *device,
                                  const struct anser_op *op,
                                  const struct anser_need *need,
                                  struct anser_chosen *chosen);

/* The reason in a few words: "tuned", "class, group failed its self-test". */
void anser_why_text(const struct anser_chosen *chosen, char *text, size_t cap);

/* This row for `need`, if it can run here and has agreed with ref: else
 * false, for want of memory too. */
bool anser_op_try(anser_device *device, const struct anser_op *op,
                  const struct anser_variant *row,
                  const struct anser_need *need, struct anser_chosen *chosen);

/* The row with this index for `need`, built and checked, or a failure;
 * UNSUPPORTED if its work-group is too large for the kernel here. */
enum anser_status anser_op_row(anser_device *device, const struct anser_op *op,
                               uint32_t row, const struct anser_need *need,
                               struct anser_chosen *chosen,
                               struct anser_error *error);

/* What a device remembers of its operations, made at first use (NULL without
 * memory) and freed with the device. */
struct anser_known;
struct anser_matmul_plan;
struct anser_tuning;
struct anser_nv;
struct anser_nv_prefill;
struct anser_op_memory {
    struct anser_known *known;       /* owned list                          */
    struct anser_matmul_plan *plans; /* owned list                          */
    anser_device *device;            /* borrowed                            */
    struct anser_buf scratch;        /* owned: see anser_op_room             */
    struct anser_nv *nv;             /* owned list: op/nv_phase.c           */
    struct anser_nv_prefill *prefill; /* owned list: op/nv_prefill.c        */
    struct anser_tuning *tuning;     /* owned; NULL: nothing was imported   */
    uint32_t generation;             /* + 1 whenever tuning changes         */
    uint32_t wrong;                  /* rows that disagreed with ref        */
};
struct anser_op_memory *anser_op_memory(anser_device *device);

/* Room in its scratch, for what stands between the launches of an operation. */
enum anser_status anser_op_room(anser_device *device, uint64_t bytes);

/* Every operation, for the self-test; ended by NULL. */
extern const struct anser_op *const anser_ops[];

/* Grids that several tables share: n by m work-items in groups of the
 * driver's choice, and n by m groups of v->wg. */
struct anser_grid anser_grid_items(const struct anser_variant *v, uint32_t n,
                                   uint32_t m);
struct anser_grid anser_grid_groups(const struct anser_variant *v, uint32_t n,
                                    uint32_t m);

/* Predicates that several tables share. */
bool anser_fits_any(const struct anser_caps *caps,
                    const struct anser_need *need);
bool anser_fits_group64(const struct anser_caps *caps,
                        const struct anser_need *need);
bool anser_suits_gpu(const struct anser_caps *caps);

#endif
