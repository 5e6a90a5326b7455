/* SPDX-License-Identifier: MIT */
/*
 * [V7:matmul] y(T, rows) = act(x(T, cols) W(rows, cols)^T) over blocks of any
 * type.  Two tables: `few` for up to `crossover` tokens (GEMV), `many` above
 * (GEMM); both kernels of a plan read the same layout of the weights.
 */
#include "base/ref.h"
#include "op/check.h"
#include "op/columns.h"
#include "op/strip.h"
#include "op/op.h"
#include "op/select.h"
#include "op/tables.h"
#include "op/wide.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A row a work-item, tokens in runs of v->tokens. */
static struct anser_grid grid_item(const struct anser_variant *v,
                                   uint32_t rows, uint32_t T)
{
    return (struct anser_grid){
        { (rows + 15) / 16 * 16, (T + v->tokens - 1) / v->tokens, 1 },
        { 16, 1, 1 }
    };
}

/* v->rows rows and all tokens a work-item; where that makes few of them, every
 * fourth run of v->tokens. */
static struct anser_grid grid_block(const struct anser_variant *v,
                                    uint32_t rows, uint32_t T)
{
    const uint32_t runs = (T + v->tokens - 1) / v->tokens;
    const uint32_t most = rows >= 512 ? 1 : 4;
    return (struct anser_grid){
        { (rows + v->rows - 1) / v->rows, runs < most ? runs : most, 1 },
        { 1, 1, 1 }
    };
}

/* v->rows rows a group, one token. */
static struct anser_grid grid_group(const struct anser_variant *v,
                                    uint32_t rows, uint32_t T)
{
    return (struct anser_grid){
        { (size_t)(rows + v->rows - 1) / v->rows * v->wg, T, 1 },
        { v->wg, 1, 1 }
    };
}

/* A tile of v->rows rows and v->tokens tokens a group. */
static struct anser_grid grid_tile(const struct anser_variant *v,
                                   uint32_t rows, uint32_t T)
{
    return (struct anser_grid){
        { (size_t)(rows + v->rows - 1) / v->rows * v->wg,
          (T + v->tokens - 1) / v->tokens, 1 },
        { v->wg, 1, 1 }
    };
}

static bool fits_block(const struct anser_caps *caps,
                       const struct anser_need *need)
{
    (void)caps;
    return (need->type == ANSER_F32 || need->type == ANSER_F16
            || need->type == ANSER_BF16)       /* cheap to unpack           */
           && need->cols % 32 == 0;            /* whole runs of columns     */
}

static bool fits_tile(const struct anser_caps *caps,
                      const struct anser_need *need)
{
    return anser_fits_group64(caps, need)
           && caps->max_group >= 128           /* the tile's group          */
           && caps->local_memory >= 12 * 1024  /* and its two halves        */
           && need->cols % 32 == 0;            /* whole runs of columns     */
}

static bool fits_nv(const struct anser_caps *caps,
                    const struct anser_need *need)
{
    return caps->class == ANSER_CLASS_NVIDIA   /* inline PTX                */
           && need->type == ANSER_Q6_K && need->cols % 256 == 0
           && need->cols <= 10240              /* what local memory holds   */
           && !need->precise;                  /* int8 activations          */
}

static bool fits_mma(const struct anser_caps *caps,
                     const struct anser_need *need)
{
    return caps->class == ANSER_CLASS_NVIDIA   /* inline PTX                */
           && (need->type == ANSER_Q4_K || need->type == ANSER_F16
               || need->type == ANSER_F32)
           && need->cols % 32 == 0             /* half a step               */
           && !need->precise;                  /* activations in halves     */
}

static bool fits_mma128(const struct anser_caps *caps,
                        const struct anser_need *need)
{
    return fits_mma(caps, need)
           && need->rows >= 1024;              /* enough tiles              */
}

/* clang-format off */
/* A kernel of strips: FORM_ as in cl/strip.cl. */
#define STRIP(name_, tokens_, form_) \
    { .name = name_, .file = "strip.cl", .kernel = "strip", \
      .options = "-D TOKENS=" #tokens_ " -D FORM=" #form_, .fits = anser_fits_strip, \
      .suits = anser_suits_strip, .prepare = anser_strip_prepare, .run = anser_strip_run, \
      .risky = form_ != 0, .layout = ANSER_LAYOUT_STRIP, .tokens = tokens_, .bound = 0.03 }
/* A kernel of columns.  They stand before strips, which are as good or better
 * unless few enough x are not zero: `anser tune` tells. */
#define COLUMNS(name_, kernel_, tokens_, form_) \
    { .name = name_, .file = "columns.cl", .kernel = kernel_, \
      .options = "-D TOKENS=" #tokens_ " -D FORM=" #form_, .fits = anser_fits_columns, \
      .suits = anser_suits_strip, .prepare = anser_columns_prepare, .run = anser_columns_run, \
      .risky = form_ != 0, .layout = ANSER_LAYOUT_COLUMNS, .tokens = tokens_, .bound = 0.03 }
static const struct anser_variant few_rows[] = {
    { .name = "item", .file = "matvec.cl", .kernel = "matvec_item",
      .options = "-D TOKENS=1", .fits = anser_fits_any, .grid = grid_item,
      .tokens = 1, .bound = 2e-5 },
    { .name = "group", .file = "matvec.cl", .kernel = "matvec_group",
      .options = "-D WG=64 -D ROWS=4", .fits = anser_fits_group64,
      .suits = anser_suits_gpu, .grid = grid_group, .wg = 64, .rows = 4, .bound = 2e-5 },
    COLUMNS("columns", "columns", 1, 0),
    COLUMNS("columns-simd", "columns", 1, 1),
    COLUMNS("columns-dot", "columns", 1, 2),
    STRIP("strip", 1, 0),
    STRIP("strip-simd", 1, 1),
    STRIP("strip-dot", 1, 2),
    { .name = "nv-int8", .file = "nv_matvec.cl", .kernel = "nv_matvec",
      .options = "-D WG=256 -D ROWS=64 -D PTX", .fits = fits_nv, .grid = grid_group,
      .wg = 256, .rows = 64, .bound = 0.05 },
};

static const struct anser_variant many_rows[] = {
    { .name = "item8", .file = "matvec.cl", .kernel = "matvec_item",
      .options = "-D TOKENS=8", .fits = anser_fits_any, .grid = grid_item,
      .tokens = 8, .bound = 2e-5 },
    { .name = "block", .file = "matvec_block.cl", .kernel = "matvec_block",
      .options = "-D ROWS=4 -D TOKENS=4", .fits = fits_block, .suits = anser_suits_strip,
      .grid = grid_block, .rows = 4, .tokens = 4, .bound = 2e-5 },
    { .name = "tile", .file = "matmul.cl", .kernel = "matmul_tile",
      .fits = fits_tile, .suits = anser_suits_gpu, .grid = grid_tile, .wg = 128, .rows = 64,
      .tokens = 32, .bound = 2e-5 },
    { .name = "wide", .file = "matmul_wide.cl", .kernel = "matmul_wide",
      .options = "-D ALIGNED", .fits = anser_fits_wide, .suits = anser_suits_wide,
      .prepare = anser_wide_prepare, .run = anser_wide_run, .bound = 2e-5 },
    COLUMNS("columns8", "columns_many", 8, 0),
    COLUMNS("columns8-simd", "columns_many", 8, 1),
    COLUMNS("columns8-dot", "columns_many", 8, 2),
    STRIP("strip8", 8, 0),
    STRIP("strip8-simd", 8, 1),
    STRIP("strip8-dot", 8, 2),
    { .name = "nv-mma64", .file = "nv_matmul.cl", .kernel = "nv_matmul",
      .options = "-D WG=256 -D ROWS=64 -D PTX", .fits = fits_mma, .grid = grid_tile,
      .wg = 256, .rows = 64, .tokens = 128, .bound = 0.01 },
    { .name = "nv-mma128", .file = "nv_matmul.cl", .kernel = "nv_matmul",
      .options = "-D WG=256 -D ROWS=128 -D PTX", .fits = fits_mma128, .grid = grid_tile,
      .wg = 256, .rows = 128, .tokens = 128, .bound = 0.01 },
};
/* clang-format on */

static void run(struct anser_queue *q, const struct anser_chosen *c,
                const struct matmul_args *args, cl_mem W, cl_mem x, cl_mem y)
{
    if (c->variant->run != NULL) {
        c->variant->run(q, c, args, &(struct anser_product){ W, x, y });
        return;
    }
    const struct anser_grid grid = c->variant->grid(c->variant, args->rows,
                                                    args->T);
    ANSER_RUN(q, c->kernel, grid, *args, W, x, y);
}

static enum anser_status prepare(anser_device *device,
                                 const struct anser_chosen *c,
                                 const struct anser_need *need)
{
    return c->variant->prepare == NULL ? ANSER_OK
                                       : c->variant->prepare(device, need);
}

/* ---------------------------------------------------------------- check */

/* What a variant is tried on.  10 tokens and 70 rows: neither fills a tile.
 * Work-items of strips go around their loops longest: Mesa's llvmpipe leaves a
 * loop, and says nothing, after 65,535 rounds of a work-item in all. */
struct check_shape {
    uint32_t rows, cols, T;
};
static const struct check_shape check_tile = { 70, 512, 10 };
static const struct check_shape check_wide = { 100, 256, 70 };
static const struct check_shape check_wide_32 = { 100, 96, 70 };
static const struct check_shape check_strip = { 17, 2048, 66 };
static const struct check_shape check_columns = { 256, 768, 10 };

static const struct check_shape *shape_for(const struct anser_chosen *chosen,
                                           const struct anser_block *block)
{
    static const struct check_shape *const shapes[ANSER_LAYOUTS] = {
        [ANSER_LAYOUT_FILE] = &check_tile, [ANSER_LAYOUT_STRIP] = &check_strip,
        [ANSER_LAYOUT_COLUMNS] = &check_columns
    };
    if (chosen->variant->run == anser_wide_run)
        return block->length > 32 ? &check_wide : &check_wide_32;
    return shapes[chosen->variant->layout];
}

static void reference(float *y, const struct anser_block *block,
                      const unsigned char *W, const float *x,
                      const struct check_shape *s)
{
    for (uint32_t t = 0; t < s->T; t++)
        anser_ref_matvec(y + t * s->rows, block, W, s->rows, s->cols,
                         x + t * s->cols);
}

/* The trial's weights w in the layout that the kernel reads: w itself, or a
 * further buffer of the trial. */
static unsigned in_layout(struct anser_trial *b, uint32_t layout,
                          const struct anser_block *block, unsigned w,
                          const struct check_shape *s)
{
    const struct anser_layout_info *info = &anser_layouts[layout];
    if (info->repack == NULL)
        return w;
    const uint64_t bytes = info->bytes(block, s->rows, s->cols);
    const unsigned to = anser_trial_add(b, bytes / sizeof(float), 0, 1);
    const struct anser_repack r = {
        .block = block, .rows = s->rows, .cols = s->cols,
        .from = b->buf[w].mem, .to = b->buf[to].mem
    };
    if (b->status == ANSER_OK)
        b->status = info->repack(b->device->queue, &r);
    return to;
}

/* Of every second token only one x of 13 stays. */
static void thin_out(struct anser_trial *b, unsigned x,
                     const struct check_shape *s)
{
    const size_t n = (size_t)s->T * s->cols;
    for (size_t i = 0; b->status == ANSER_OK && i < n; i++)
        if (i / s->cols % 2 == 1 && i % 13 != 0)
            b->host[x][i] = 0;
    if (b->status == ANSER_OK)
        anser_queue_write(b->device->queue, b->buf[x].mem, 0, b->host[x],
                          n * sizeof(float));
}

/* The kernel on made-up blocks; y has room for the result of ref too. */
static enum anser_status run_check(anser_device *device,
                                   const struct anser_chosen *chosen,
                                   const struct anser_block *block,
                                   unsigned char *W, double *error)
{
    const struct check_shape *s = shape_for(chosen, block);
    const uint64_t bytes = anser_block_bytes(block, s->rows * s->cols);
    const struct anser_need need = { .rows = s->rows, .cols = s->cols };
    struct anser_trial b;
    anser_trial_init(&b, device);
    anser_check_blocks(block, W, bytes / block->bytes, block->type + 1);
    const unsigned w = anser_trial_bytes(&b, W, bytes);
    const unsigned x = anser_trial_add(&b, s->T * s->cols, 0, 1);
    const unsigned y = anser_trial_add(&b, s->T * s->rows, 0, 1);
    if (chosen->variant->layout == ANSER_LAYOUT_COLUMNS)
        thin_out(&b, x, s);
    const unsigned laid = in_layout(&b, chosen->variant->layout, block, w, s);
    if (b.status == ANSER_OK)
        b.status = prepare(device, chosen, &need);
    const struct matmul_args args = {
        .row_bytes = (uint32_t)(bytes / s->rows), .rows = s->rows,
        .cols = s->cols, .T = s->T, .y_stride = s->rows
    };
    if (b.status == ANSER_OK)
        run(device->queue, chosen, &args, b.buf[laid].mem, b.buf[x].mem,
            b.buf[y].mem);
    float *out = anser_trial_read(&b, y);
    if (out != NULL) {
        reference(b.host[y], block, W, b.host[x], s);
        *error = anser_check_error(out, b.host[y], s->T * s->rows);
    }
    free(out);
    return anser_trial_free(&b);
}

static enum anser_status check(anser_device *device,
                               const struct anser_chosen *chosen,
                               const struct anser_need *need,
                               struct anser_error *error)
{
    const struct anser_block *block = anser_block_find(need->type);
    const struct check_shape *s = shape_for(chosen, block);
    const uint64_t bytes = anser_block_bytes(block, s->rows * s->cols);
    unsigned char *W = malloc(bytes);
    if (W == NULL)
        return anser_fail_memory(device->ctx, bytes);
    snprintf(error->shape, sizeof error->shape, "%s %ux%u T %u", block->name,
             (unsigned)s->rows, (unsigned)s->cols, (unsigned)s->T);
    error->bound = chosen->variant->bound;
    error->error = NAN;
    const enum anser_status status = run_check(device, chosen, block, W,
                                               &error->error);
    free(W);
    return status;
}

const struct anser_op anser_op_matmul_few = {
    "matmul-few", few_rows, sizeof few_rows / sizeof *few_rows, true, check
};
const struct anser_op anser_op_matmul_many = {
    "matmul-many", many_rows, sizeof many_rows / sizeof *many_rows, true, check
};

/* ----------------------------------------------------------------- plan */

/* Tokens up to which `few` is used where nothing was measured: a CPU's `many`
 * wins as soon as half of its eight tokens are real; a GPU's tile when a
 * quarter of 32 are, and tensor cores at once.  `anser tune` measures it by
 * type and shape. */
static uint32_t class_crossover(const struct anser_caps *caps)
{
    if (caps->class == ANSER_CLASS_NVIDIA)
        return 2;
    return (caps->type & CL_DEVICE_TYPE_GPU) != 0 ? 8 : 3;
}

static bool same(const struct anser_need *a, const struct anser_need *b)
{
    return a->type == b->type && a->rows == b->rows && a->cols == b->cols
           && a->precise == b->precise && a->sparse == b->sparse
           && a->layouts == b->layouts;
}

/* The best `few`, and the best `many` that reads the same layout; if none
 * does, both as in the file. */
static enum anser_status make_plan(anser_device *device,
                                   const struct anser_need *need,
                                   struct anser_matmul_plan *plan)
{
    struct anser_need wish = *need;
    plan->need = *need;
    plan->crossover = class_crossover(&device->caps);
    plan->crossover_why = anser_select_crossover(device, need,
                                                 &plan->crossover);
    TRY(anser_op_choose(device, &anser_op_matmul_few, &wish, &plan->few));
    wish.layouts = 1u << plan->few.variant->layout;
    if (anser_op_choose(device, &anser_op_matmul_many, &wish, &plan->many)
        != ANSER_OK) {
        wish.layouts = 1u << ANSER_LAYOUT_FILE;
        TRY(anser_op_choose(device, &anser_op_matmul_few, &wish, &plan->few));
        TRY(anser_op_choose(device, &anser_op_matmul_many, &wish,
                            &plan->many));
    }
    plan->layout = (enum anser_layout)plan->few.variant->layout;
    TRY(prepare(device, &plan->few, need));
    return prepare(device, &plan->many, need);
}

enum anser_status anser_matmul_plan(anser_device *device,
                                    const struct anser_need *need,
                                    const struct anser_matmul_plan **plan)
{
    struct anser_op_memory *m = anser_op_memory(device);
    struct anser_matmul_plan *p = m == NULL ? NULL : m->plans;
    while (p != NULL && !(same(&p->need, need)
                          && p->generation == m->generation))
        p = p->next;
    if (p == NULL) {
        struct anser_matmul_plan made;
        TRY(make_plan(device, need, &made));
        p = m == NULL ? NULL : malloc(sizeof *p);
        if (p == NULL)
            return anser_fail_memory(device->ctx, sizeof *p);
        *p = made;
        p->generation = m->generation;
        p->next = m->plans;
        m->plans = p;
    }
    *plan = p;
    return ANSER_OK;
}

void anser_op_matmul(struct anser_queue *q, const struct anser_matrix *W,
                     const struct anser_matmul_call *call)
{
    const struct anser_matmul_plan *plan = W->plan;
    const struct anser_chosen *c = call->T <= plan->crossover ? &plan->few
                                                               : &plan->many;
    for (uint32_t i = 0; i < W->n_parts; i++) {
        const struct anser_part *part = &W->parts[i];
        const struct matmul_args args = {
            .w_at = part->at, .row_bytes = W->row_bytes, .rows = part->rows,
            .cols = W->cols, .T = call->T, .x_at = call->x.at,
            .y_at = call->y.at + part->row0, .y_stride = call->y_stride,
            .act = call->act
        };
        run(q, c, &args, part->mem, call->x.mem, call->y.mem);
    }
}
