/* SPDX-License-Identifier: MIT */
/*
 * anser.h - RWKV-7 language models from GGUF files on any OpenCL device.
 *
 * A program makes a context, opens a file, a device and a model on it, and
 * feeds tokens to a state:
 *
 *     anser_ctx_new -> anser_file_open -> anser_device_open ->
 *     anser_model_open -> anser_state_new -> anser_feed -> anser_generate
 *
 * Lifetime is a tree: ctx > file, device; file + device > model > state.  A
 * child borrows its parents and is closed before them.  Every _close and
 * _free takes NULL.
 *
 * Errors: a function that can fail returns an enum anser_status; its results
 * come through the last parameters, which are untouched on failure.  After a
 * failure anser_error(ctx) tells in one line what, where and what to do.
 *
 * Threads: a context and all that hangs below it belong to one thread at a
 * time.  Two contexts share nothing.  The library never exits, never prints,
 * installs no signal handlers and keeps no global state.
 *
 * Shapes are written name(rows, columns), sizes in bytes unless said.  The
 * one-letter names T C H N F V L are those of HACKING's glossary.
 */
#ifndef ANSER_H
#define ANSER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ANSER_VERSION_MAJOR 0
#define ANSER_VERSION_MINOR 1
#define ANSER_VERSION_PATCH 0
#define ANSER_VERSION \
    (ANSER_VERSION_MAJOR * 10000 + ANSER_VERSION_MINOR * 100 \
     + ANSER_VERSION_PATCH)

#if defined(__GNUC__)
#define ANSER_API __attribute__((visibility("default")))
#define ANSER_CHECKED __attribute__((visibility("default"), \
                                     warn_unused_result))
#else
#define ANSER_API
#define ANSER_CHECKED
#endif

/* What a caller can act on.  Numbers are never reused. */
enum anser_status {
    ANSER_OK = 0,
    ANSER_NO_MEMORY = 1,      /* host or device memory                      */
    ANSER_BAD_ARG = 2,        /* the caller broke the contract below        */
    ANSER_BAD_FILE = 3,       /* a file is damaged or not what it claims    */
    ANSER_UNSUPPORTED = 4,    /* sound, but nothing that Anser can run      */
    ANSER_NO_DEVICE = 5,      /* no OpenCL device, or none of that name     */
    ANSER_DEVICE_FAILED = 6,  /* an OpenCL call or a self-test failed       */
    ANSER_IO = 7,             /* opening, reading or writing a file failed  */
    ANSER_BAD_STATE = 8,      /* a saved state belongs to another model     */
    ANSER_CANCELLED = 9       /* a progress callback asked to stop          */
};

/* ------------------------------------------------------------- version */

/* ANSER_VERSION of the library at run time. */
ANSER_API int anser_version(void);

/* "0.1.0"; static. */
ANSER_API const char *anser_version_string(void);

/* ------------------------------------------------------------- context */

/* Holds the last error's text, the log and settings.  Opaque. */
typedef struct anser_ctx anser_ctx;

/* Fails only for memory.  *ctx is owned by the caller. */
ANSER_CHECKED enum anser_status anser_ctx_new(anser_ctx **ctx);
ANSER_API void anser_ctx_free(anser_ctx *ctx);

/* The last failure's text in one line, or "".  Valid until the next failure
 * on ctx. */
ANSER_API const char *anser_error(const anser_ctx *ctx);

/* A short static text for a status, e.g. "bad file". */
ANSER_API const char *anser_status_text(enum anser_status status);

/* Messages worth knowing that are no errors (a skipped device, a rejected
 * kernel variant), one line without a newline.  level 1: notices, 2: details.
 * NULL, the default, drops them. */
typedef void anser_log_fn(void *user, int level, const char *line);
ANSER_API void anser_log_to(anser_ctx *ctx, anser_log_fn *fn, void *user);

/* ---------------------------------------------------------------- file */

/* A GGUF file, mapped and checked: every size, offset, type and name has been
 * validated before _open returns.  Needs no device. */
typedef struct anser_file anser_file;

/* BAD_FILE and IO name the key or tensor, what was found and expected. */
ANSER_CHECKED enum anser_status
anser_file_open(anser_ctx *ctx, const char *path, anser_file **file);
ANSER_API void anser_file_close(anser_file *file);

struct anser_tensor_info {
    size_t size;              /* set to sizeof(struct) before the call      */
    const char *name;         /* borrowed from the file                     */
    const char *type;         /* "Q4_K"                                     */
    uint32_t n_dims;
    uint64_t ne[4];           /* ne[0] is contiguous                        */
    uint64_t bytes;
};

/* Number of tensors, and the i-th in the order of the file.
 * BAD_ARG: i out of range. */
ANSER_API uint64_t anser_file_tensors(const anser_file *file);
ANSER_CHECKED enum anser_status
anser_file_tensor(const anser_file *file, uint64_t i,
                  struct anser_tensor_info *info);

/* A metadata value as text (numbers in decimal, arrays as "[n items]") in
 * buf(cap), cut to fit and ended by NUL; returns the whole length, or 0 if
 * the key is absent. */
ANSER_API size_t anser_file_value(const anser_file *file, const char *key,
                                  char *buf, size_t cap);

/* Number of metadata keys, and the i-th key's name (borrowed), or NULL. */
ANSER_API uint64_t anser_file_keys(const anser_file *file);
ANSER_API const char *anser_file_key(const anser_file *file, uint64_t i);

/* The V7 model that a file holds. */
struct anser_file_info {
    size_t size;              /* set to sizeof(struct) before the call      */
    const char *name;         /* general.name or ""; borrowed               */
    uint32_t n_layer;         /* L                                          */
    uint32_t n_embd;          /* C                                          */
    uint32_t n_head;          /* H                                          */
    uint32_t head_size;       /* N                                          */
    uint32_t n_ff;            /* F                                          */
    uint32_t n_vocab;         /* V                                          */
    uint32_t lora_decay, lora_iclr, lora_value, lora_gate;
    uint64_t n_params;        /* elements in all tensors                    */
    uint64_t file_bytes;
    uint64_t token_bytes;     /* weights that one token reads               */
    uint64_t state_bytes;     /* one recurrent state, float32               */
    uint64_t device_bytes;    /* needed on a GPU: default chunk, 1 state    */
};

/* UNSUPPORTED: another architecture, head size or tensor set; the text names
 * the key or tensor. */
ANSER_CHECKED enum anser_status
anser_file_info(const anser_file *file, struct anser_file_info *info);

/* ---------------------------------------------------------------- text */

/* The vocabulary of a file: World tokenizer, greedy longest match over bytes.
 * Borrows nothing: the file may be closed. */
typedef struct anser_vocab anser_vocab;

ANSER_CHECKED enum anser_status
anser_vocab_new(const anser_file *file, anser_vocab **vocab);
ANSER_API void anser_vocab_free(anser_vocab *vocab);

/* Number of ids, V. */
ANSER_API uint32_t anser_vocab_size(const anser_vocab *vocab);

/* The end-of-sequence id (0 where the file names none). */
ANSER_API uint32_t anser_vocab_eos(const anser_vocab *vocab);

/* Encodes text(n), any bytes, into ids(cap).  *count is the number of ids of
 * the whole text; if it exceeds cap, only cap were written.  Id 0 and unused
 * entries are never produced.  BAD_FILE: a byte of the text is no token. */
ANSER_CHECKED enum anser_status
anser_encode(const anser_vocab *vocab, const void *text, size_t n,
             uint32_t *ids, size_t cap, size_t *count);

/* The bytes of one id: *bytes is borrowed from vocab, *n its length (0 for
 * control and unused ids).  BAD_ARG: id >= V. */
ANSER_CHECKED enum anser_status
anser_decode(const anser_vocab *vocab, uint32_t id,
             const char **bytes, size_t *n);

/* Holds back the bytes of an incomplete UTF-8 character between tokens. */
struct anser_utf8 {
    unsigned char held[4];
    unsigned n;
};

/* Adds in(n) to the held bytes and writes what is complete to out, which has
 * room for n + 4 bytes; returns the bytes written.  Bytes that can never
 * become UTF-8 pass as they are.  Zero-initialise u before the first call. */
ANSER_API size_t anser_utf8_push(struct anser_utf8 *u, const void *in,
                                 size_t n, char *out);

/* Writes what is still held (at most 4 bytes) as it is, at the end. */
ANSER_API size_t anser_utf8_flush(struct anser_utf8 *u, char *out);

/* ------------------------------------------------------------- sampler */

struct anser_sampler_options {
    size_t size;              /* set to sizeof(struct)                      */
    float temperature;        /* 0: greedy                                  */
    float top_p;              /* 0..1; 1 keeps all                          */
    uint32_t top_k;           /* 0 keeps all                                */
    float presence;           /* taken from a logit whose token occurred    */
    float frequency;          /* ... times its decayed count                */
    float penalty_decay;      /* counts are multiplied by it at each token  */
    uint64_t seed;
};

/* RWKV's defaults: 1.0, 0.85, 0, 0.2, 0.2, 0.996, seed 0. */
ANSER_API void anser_sampler_defaults(struct anser_sampler_options *options);

/* Counts of what was drawn, and the position of the random numbers: number n
 * of a seed is a function of seed and n alone (Philox-4x32-10). */
typedef struct anser_sampler anser_sampler;

/* BAD_ARG: an option out of range; the text names it. */
ANSER_CHECKED enum anser_status
anser_sampler_new(anser_ctx *ctx, uint32_t n_vocab,
                  const struct anser_sampler_options *options,
                  anser_sampler **sampler);
ANSER_API void anser_sampler_free(anser_sampler *sampler);

/* Forgets counts and position. */
ANSER_API void anser_sampler_reset(anser_sampler *sampler);

/* Never draws this id (as a chat demo bans the end token).  BAD_ARG. */
ANSER_CHECKED enum anser_status
anser_sampler_ban(anser_sampler *sampler, uint32_t id);

/* Draws a token from logits(V), which is left as it was, and counts it.
 * Order: penalties, softmax, top-p, top-k, temperature [V7:sample]; ties go
 * to the lowest id.  Sums are of integers, so the same logits give the same
 * token everywhere, on a GPU too.  DEVICE_FAILED: no finite logit. */
ANSER_CHECKED enum anser_status
anser_sample(anser_sampler *sampler, const float *logits, uint32_t *id);

/* -------------------------------------------------------------- device */

struct anser_device_info {
    size_t size;              /* set to sizeof(struct) before the call      */
    const char *platform, *name, *vendor, *driver, *version, *c_version;
                              /* borrowed from the context                  */
    const char *kind;         /* "cpu", "gpu", "igpu", "accelerator"        */
    const char *tier;         /* which kernels Anser would use              */
    const char *why;          /* and why, in half a line                    */
    uint64_t memory, max_alloc, local_memory;
    uint32_t units, max_group;
    int fp16, subgroups, unified;   /* as the device reports them           */
    int usable;               /* 0: refused, why says the reason            */
};

/* Number of devices on all platforms; a platform that fails is skipped with a
 * log line.  NO_DEVICE: none at all, the text says what to install. */
ANSER_CHECKED enum anser_status
anser_device_count(anser_ctx *ctx, uint32_t *n);

/* BAD_ARG: i out of range. */
ANSER_CHECKED enum anser_status
anser_device_info(anser_ctx *ctx, uint32_t i, struct anser_device_info *info);

/* An OpenCL device with its context and queue. */
typedef struct anser_device anser_device;

/* choice: NULL (or "") for automatic (discrete GPU, integrated GPU, CPU), a
 * number as counted above, or a part of a name, case ignored.  NO_DEVICE if
 * nothing matches; the text lists what there is. */
ANSER_CHECKED enum anser_status
anser_device_open(anser_ctx *ctx, const char *choice, anser_device **device);
ANSER_API void anser_device_close(anser_device *device);

/* What was opened. */
ANSER_CHECKED enum anser_status
anser_device_describe(const anser_device *device,
                      struct anser_device_info *info);

/* Runs every kernel variant that fits the device against the plain C
 * reference; one call of fn each: name of operation, variant, shape, the
 * largest error, its bound, and ok.  DEVICE_FAILED if any failed. */
struct anser_check {
    const char *op, *variant, *shape;
    double error, bound;
    int ok;
};
typedef void anser_check_fn(void *user, const struct anser_check *check);
ANSER_CHECKED enum anser_status
anser_selftest(anser_device *device, anser_check_fn *fn, void *user);

/* ------------------------------------------------------------- measuring */

/* What a device has done and holds since it was opened. */
struct anser_stats_info {
    size_t size;              /* set to sizeof(struct) before the call      */
    uint64_t used_bytes;      /* device memory lent out: weights, states    */
    uint64_t held_bytes;      /* freed, kept for the next use               */
    uint64_t peak_bytes;      /* the most ever, used and held               */
    uint64_t pool_hits, pool_misses;    /* buffers reused, buffers made     */
    uint64_t launches;        /* kernels enqueued                           */
    uint32_t from_source, from_cache;   /* programs compiled, loaded        */
    uint32_t rejected;        /* cached ones that the driver refused        */
    uint32_t wrong;           /* kernel variants whose results were wrong,
                                 so that others run in their place          */
};
ANSER_CHECKED enum anser_status
anser_stats(const anser_device *device, struct anser_stats_info *info);

/* How fast the device reads and copies its own memory, in bytes a second: the
 * best pass of those within `seconds` each, over a buffer larger than caches
 * (1 GiB, less on small devices and CPUs).  A copy counts what it reads and
 * what it writes.  BAD_ARG: seconds is not in 0..60. */
ANSER_CHECKED enum anser_status
anser_bandwidth(anser_device *device, double seconds, double *read,
                double *copy);

/* --------------------------------------------------------------- model */

/* part of 0..1; a non-zero return cancels with ANSER_CANCELLED. */
typedef int anser_progress_fn(void *user, double part);

struct anser_model_options {
    size_t size;              /* set to sizeof(struct)                      */
    int precise;              /* float activations throughout               */
    uint32_t chunk;           /* tokens at once in prefill; 0: device's own */
    anser_progress_fn *progress;    /* may be NULL                          */
    void *progress_user;
};

/* Weights on a device, still quantised, with the work space of one pass. */
typedef struct anser_model anser_model;

/* options may be NULL.  Borrows file (until it returns) and device (until
 * _close).  NO_MEMORY says how much is missing before anything is uploaded. */
ANSER_CHECKED enum anser_status
anser_model_open(anser_device *device, const anser_file *file,
                 const struct anser_model_options *options,
                 anser_model **model);
ANSER_API void anser_model_close(anser_model *model);

struct anser_model_info {
    size_t size;              /* set to sizeof(struct) before the call      */
    uint32_t n_layer, n_embd, n_vocab;
    uint32_t chunk;           /* tokens at once in prefill                  */
    uint64_t device_bytes;    /* held on the device, states not counted     */
    uint64_t state_bytes;
};
ANSER_CHECKED enum anser_status
anser_model_info(const anser_model *model, struct anser_model_info *info);

/* One line a call: which variant runs for each phase and shape, and why:
 * "override" (ANSER_VARIANT), "tuned", "class" (the default of this class of
 * device) or "plain"; and which one failed its self-test. */
typedef void anser_line_fn(void *user, const char *line);
ANSER_API void anser_plan_print(const anser_model *model, anser_line_fn *fn,
                                void *user);

/* ---------------------------------------------------------------- tuning */

/* Which kernel is the fastest depends on device, block type and shape.  What
 * was measured is kept in a text file a device, beside the program cache
 * (ANSER_TUNING moves it or, as 0, switches it off), is imported when a model
 * is opened, and counts before the defaults. */
struct anser_tune_result {
    const char *op;           /* "matmul-few", "crossover", "norm"; "phases" */
    const char *type;         /* of the matrix, "Q4_K"; F32 without one     */
    const char *variant;      /* "" of the crossover                        */
    uint32_t rows, cols;      /* rows 0: no matrix; of "phases": F, C       */
    uint32_t tokens;          /* at once; of "crossover": the figure        */
    double seconds;           /* median; of "phases": all layers;
                                 0 of the crossover                         */
    int chosen;               /* the fastest                                */
};
typedef void anser_tune_fn(void *user, const struct anser_tune_result *result);

/* Measures every variant that is right on this device on the shapes of its
 * models, for about `seconds` (0.1..3600) after all of them were built and
 * checked, with a call of fn (or NULL) each.  On a CPU the model writes a few
 * tokens first, since how sparse they leave relu^2 decides there, too.
 * What it finds counts for models opened from now on; _export keeps it.
 * BAD_ARG: seconds out of range. */
ANSER_CHECKED enum anser_status
anser_tune(anser_model *model, double seconds, anser_tune_fn *fn, void *user);

/* Takes the choices of a file, all or none, for models opened from now on.
 * path NULL: the device's own.  BAD_FILE: a wrong line, or it was measured on
 * another device, driver or build; IO. */
ANSER_CHECKED enum anser_status
anser_tuning_import(anser_device *device, const char *path);

/* Writes the device's choices, under a temporary name first.  BAD_ARG: it has
 * none, or path is NULL and there is no place for the device's own. */
ANSER_CHECKED enum anser_status
anser_tuning_export(anser_device *device, const char *path);

/* The device's own file, ended by NUL and cut to fit buf(cap); returns the
 * whole length, 0 if there is no place for one. */
ANSER_API size_t anser_tuning_path(const anser_device *device, char *buf,
                                   size_t cap);

/* --------------------------------------------------------------- state */

/* The recurrent state of one sequence, on the device, float32. */
typedef struct anser_state anser_state;

/* A new state is that of an empty sequence. */
ANSER_CHECKED enum anser_status
anser_state_new(anser_model *model, anser_state **state);
ANSER_API void anser_state_free(anser_state *state);

/* Back to the empty sequence. */
ANSER_CHECKED enum anser_status anser_state_reset(anser_state *state);

/* to becomes equal to from; both of one model, else BAD_ARG. */
ANSER_CHECKED enum anser_status
anser_state_copy(anser_state *to, const anser_state *from);

/* A versioned file with the model's fingerprint, written to a temporary name
 * and renamed.  Load: BAD_STATE if it belongs to another model, BAD_FILE if
 * it is damaged; the state is then as it was. */
ANSER_CHECKED enum anser_status
anser_state_save(const anser_state *state, const char *path);
ANSER_CHECKED enum anser_status
anser_state_load(anser_state *state, const char *path);

/* ----------------------------------------------------------------- run */

/* Feeds ids(n) in chunks; the state afterwards is that after the last one,
 * and its logits are ready.  BAD_ARG: n is 0 or an id >= V (nothing fed). */
ANSER_CHECKED enum anser_status
anser_feed(anser_state *state, const uint32_t *ids, size_t n);

/* As anser_feed, and logits(n, V) receives those after every token. */
ANSER_CHECKED enum anser_status
anser_feed_all(anser_state *state, const uint32_t *ids, size_t n,
               float *logits);

/* Copies the logits(V) after the last token fed.  BAD_ARG: none was fed since
 * the state was made, reset or loaded without them. */
ANSER_CHECKED enum anser_status
anser_logits(anser_state *state, float *logits);

/* Generates up to max tokens: draws one from the logits, calls fn, feeds it,
 * and so on.  A token for which fn returns non-zero is not fed: the state and
 * the logits are those before it, and the call returns ANSER_OK.
 *
 * A GPU draws itself, the same tokens as anser_sample, and is up to a few
 * tokens ahead of fn (ANSER_AHEAD, 0 to 8); what it began after a stop is
 * undone, to the bit.  fn must not use the state or the sampler.
 *
 * BAD_ARG: no logits yet, or a sampler for another number of ids.  After
 * DEVICE_FAILED or NO_MEMORY the state may be that of no token: anser_logits
 * refuses then, and the state has to be reset, loaded or copied to. */
typedef int anser_token_fn(void *user, uint32_t id);
ANSER_CHECKED enum anser_status
anser_generate(anser_state *state, anser_sampler *sampler, uint64_t max,
               anser_token_fn *fn, void *user);

/* --------------------------------------------------------------- cache */

/* Programs that were built and self-tests that passed are kept on disk, in a
 * directory of the user ($ANSER_CACHE_DIR, else $XDG_CACHE_HOME/anser or
 * ~/.cache/anser, on macOS ~/Library/Caches/anser; ANSER_CACHE=0 switches it
 * off).  It never makes a run fail; these functions are for looking after
 * it. */
struct anser_cache_entry {
    size_t size;              /* sizeof(struct), set by the library         */
    const char *file;         /* its name in the directory                  */
    const char *kind;         /* "program", "pass"; "" if it is damaged     */
    const char *name, *options;     /* of a program: file and options       */
    const char *device, *driver;
    uint64_t bytes;
    int64_t used;             /* last use, seconds since 1970               */
    const char *fault;        /* NULL: sound, else what is wrong with it    */
};
typedef void anser_cache_fn(void *user, const struct anser_cache_entry *entry);

/* The directory, ended by NUL and cut to fit buf(cap); returns the whole
 * length, 0 if none is known. */
ANSER_API size_t anser_cache_path(char *buf, size_t cap);

/* One call of fn an entry, each read and checked whole, the longest unused
 * first; fn may be NULL.  A directory that is absent is an empty cache.  IO:
 * it can't be used, the text says why. */
ANSER_CHECKED enum anser_status
anser_cache_list(anser_ctx *ctx, anser_cache_fn *fn, void *user);

/* As _list; BAD_FILE if any entry has a fault. */
ANSER_CHECKED enum anser_status
anser_cache_verify(anser_ctx *ctx, anser_cache_fn *fn, void *user);

/* Removes all entries; *n of them. */
ANSER_CHECKED enum anser_status
anser_cache_clear(anser_ctx *ctx, uint64_t *n);

/* --------------------------------------------------------------- files */

/* Writes a GGUF file of random weights with the shapes and tensor types of a
 * real model, so that a GPU can be measured without a download. */
struct anser_synth_options {
    size_t size;              /* set to sizeof(struct)                      */
    const char *preset;       /* tiny 0.1b 0.4b 1.5b 2.9b 7.2b              */
    const char *type;         /* q4_k_m q5_k_m q6_k q8_0 f16; NULL: q4_k_m  */
    const char *variant;      /* NULL, or a deviation that real files show  */
    const char *vocab;        /* World vocabulary file, or NULL: made up    */
    uint64_t seed;
    anser_progress_fn *progress;
    void *progress_user;
};

/* Written to a temporary name and renamed: a failure leaves nothing.
 * BAD_ARG lists the known presets, types or variants. */
ANSER_CHECKED enum anser_status
anser_synth(anser_ctx *ctx, const struct anser_synth_options *options,
            const char *path);

/* Known variant names of anser_synth, the i-th or NULL. */
ANSER_API const char *anser_synth_variant(unsigned i);

/* Writes a model with its matrices in another type, as llama-quantize does:
 * the head gets Q6_K at least, LoRA matrices, vectors and norms stay. */
struct anser_quantize_options {
    size_t size;              /* set to sizeof(struct)                      */
    const char *type;         /* q4_k_m, or another of _quantize_type       */
    const char *const *overrides;   /* (n_overrides) "PATTERN=TYPE", see    */
    size_t n_overrides;       /* below; 0: none                             */
    uint32_t threads;         /* 0: one for each processor                  */
    anser_progress_fn *progress;    /* may be NULL                          */
    void *progress_user;
};

/* file holds F32, F16, BF16 or, with a notice in the log, quantised weights.
 * An override gives the matrices whose names match a shell pattern a type such
 * as Q6_K; the first that matches counts.  The output replaces path when it is
 * complete: a failure leaves nothing.  BAD_ARG: type or override unknown, or
 * path is the input; UNSUPPORTED: not RWKV-7. */
ANSER_CHECKED enum anser_status
anser_quantize(const anser_file *file,
               const struct anser_quantize_options *options, const char *path);

/* Known types of anser_quantize, the i-th or NULL. */
ANSER_API const char *anser_quantize_type(unsigned i);

#ifdef __cplusplus
}
#endif

#endif
