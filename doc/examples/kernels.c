/* SPDX-License-Identifier: MIT */
/*
 * Anser's kernels on OpenCL objects of one's own: y = W x for a matrix in Q4_K
 * and one in Q6_K, compared with the blocks decoded here.  `make installcheck`
 * builds and runs it against the installed library.
 *
 *     cc kernels.c $(pkg-config --cflags --libs anser OpenCL) -lm -o kernels
 */
#define CL_TARGET_OPENCL_VERSION 120
#include <anser_cl.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 96, COLS = 512, BLOCK = 256, TOKENS = 3 };
#define BOUND 1e-5                   /* of |error| / rms of the result      */

static cl_context context;
static cl_command_queue queue;

/* -------------------------------------------------------------- decoding */

/* Normal halves only: what stands in the blocks below. */
static float half(const unsigned char *p)
{
    const int bits = p[0] | p[1] << 8;
    return ldexpf((float)(1024 + (bits & 1023)), (bits >> 10 & 31) - 25);
}

static void decode_q4_k(const unsigned char *b, float *w)
{
    const unsigned char *p = b + 4;
    for (int s = 0; s < 8; s++) {
        const int sc = s < 4 ? p[s] & 63
                             : (p[s + 4] & 15) | p[s - 4] >> 6 << 4;
        const int mn = s < 4 ? p[s + 4] & 63
                             : p[s + 4] >> 4 | p[s] >> 6 << 4;
        for (int i = 0; i < 32; i++) {
            const int q = b[16 + 32 * (s / 2) + i] >> 4 * (s & 1) & 15;
            w[32 * s + i] = half(b) * (float)sc * (float)q
                            - half(b + 2) * (float)mn;
        }
    }
}

static void decode_q6_k(const unsigned char *b, float *w)
{
    for (int e = 0; e < BLOCK; e++) {
        const int n = e / 128, j = e / 32 % 4, l = e % 32;
        const int low = b[64 * n + 32 * (j & 1) + l] >> 4 * (j / 2) & 15;
        const int high = b[128 + 32 * n + l] >> 2 * j & 3;
        const int scale = (signed char)b[192 + e / 16];
        w[e] = half(b + 208) * (float)scale * (float)((low | high << 4) - 32);
    }
}

struct type {
    const char *name;
    uint32_t bytes;
    int halves[2];                   /* where scales stand, -1: none        */
    void (*decode)(const unsigned char *block, float *w);
};

static const struct type types[] = {
    { "Q4_K", 144, { 0, 2 }, decode_q4_k },
    { "Q6_K", 210, { 208, -1 }, decode_q6_k },
};

/* ------------------------------------------------------------- computing */

static int fail(const char *what)
{
    fprintf(stderr, "kernels: %s\n", what);
    return 1;
}

static unsigned random_bits(void)
{
    static unsigned seed = 1;
    seed = seed * 1664525u + 1013904223u;    /* Numerical Recipes           */
    return seed >> 16;
}

/* Any bytes are a block, if its scales are sane: about 0.002 here. */
static unsigned char *random_blocks(const struct type *t, size_t n)
{
    unsigned char *W = malloc(n * t->bytes);
    for (size_t i = 0; W != NULL && i < n * t->bytes; i++)
        W[i] = (unsigned char)random_bits();
    for (size_t i = 0; W != NULL && i < n; i++)
        for (int h = 0; h < 2 && t->halves[h] >= 0; h++)
            W[i * t->bytes + (size_t)t->halves[h] + 1] = 0x18;
    return W;
}

static double compare(const struct type *t, const unsigned char *W,
                      const float *x, const float *y)
{
    float w[COLS];
    double most = 0, square = 0;
    for (int row = 0; row < ROWS; row++) {
        for (int b = 0; b < COLS / BLOCK; b++)
            t->decode(W + (size_t)(row * (COLS / BLOCK) + b) * t->bytes,
                      w + b * BLOCK);
        for (int token = 0; token < TOKENS; token++) {
            double sum = 0;
            for (int i = 0; i < COLS; i++)
                sum += (double)w[i] * (double)x[token * COLS + i];
            most = fmax(most, fabs(sum - (double)y[token * ROWS + row]));
            square += sum * sum;
        }
    }
    return most / sqrt(square / (ROWS * TOKENS));
}

static cl_mem buffer(size_t bytes, void *data)
{
    cl_int code;
    return clCreateBuffer(context, CL_MEM_READ_WRITE
                          | (data != NULL ? CL_MEM_COPY_HOST_PTR : 0),
                          bytes, data, &code);
}

static int multiply(anser_ctx *ctx, anser_device *device, const struct type *t)
{
    const size_t blocks = (size_t)ROWS * COLS / BLOCK;
    float x[TOKENS * COLS], y[TOKENS * ROWS];
    unsigned char *W = random_blocks(t, blocks);
    if (W == NULL)
        return fail("no memory");
    for (int i = 0; i < TOKENS * COLS; i++)
        x[i] = (float)random_bits() / 32768.0f - 1.0f;
    const struct anser_cl_matrix matrix = {
        .size = sizeof matrix, .type = t->name, .rows = ROWS, .cols = COLS,
        .mem = buffer(blocks * t->bytes, W)
    };
    const struct anser_cl_view in = { buffer(sizeof x, x), 0 };
    const struct anser_cl_view out = { buffer(sizeof y, NULL), 0 };
    int bad = 0;
    if (anser_cl_matmul(device, &matrix, in, out, TOKENS, 0) != ANSER_OK)
        bad = fail(anser_error(ctx));
    else if (clEnqueueReadBuffer(queue, out.mem, CL_TRUE, 0, sizeof y, y, 0,
                                 NULL, NULL) != CL_SUCCESS)
        bad = fail("clEnqueueReadBuffer");
    const double error = bad ? 0 : compare(t, W, x, y);
    if (!bad)
        printf("%s: error %.1e of rms, at most %.0e\n", t->name, error, BOUND);
    clReleaseMemObject(matrix.mem);
    clReleaseMemObject(in.mem);
    clReleaseMemObject(out.mem);
    free(W);
    return bad || !(error <= BOUND);
}

/* The first device of the first platform that has one. */
static int open_device(cl_device_id *id)
{
    cl_platform_id platforms[16];
    cl_uint n = 0;
    cl_int code = clGetPlatformIDs(16, platforms, &n);
    for (cl_uint i = 0; code == CL_SUCCESS && i < n && i < 16; i++) {
        if (clGetDeviceIDs(platforms[i], CL_DEVICE_TYPE_ALL, 1, id, NULL)
            != CL_SUCCESS)
            continue;
        context = clCreateContext(NULL, 1, id, NULL, NULL, &code);
        if (code == CL_SUCCESS)
            queue = clCreateCommandQueue(context, *id, 0, &code);
        return code != CL_SUCCESS;
    }
    return 1;
}

int main(void)
{
    anser_ctx *ctx;
    anser_device *device;
    cl_device_id id;
    if (open_device(&id))
        return fail("no OpenCL device");
    if (anser_ctx_new(&ctx) != ANSER_OK)
        return fail("no memory");
    if (anser_cl_attach(ctx, context, id, queue, &device) != ANSER_OK)
        return fail(anser_error(ctx));
    int bad = 0;
    for (int i = 0; i < 2; i++)
        bad |= multiply(ctx, device, &types[i]);
    anser_cl_detach(device);
    anser_ctx_free(ctx);
    clReleaseCommandQueue(queue);
    clReleaseContext(context);
    return bad;
}
