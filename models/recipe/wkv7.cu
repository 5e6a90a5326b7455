/* SPDX-License-Identifier: MIT */
/*
 * The WKV7 recurrence, forward and backward, one block a head of a sequence.
 *   sa = S a;  S <- S diag(w) + sa b' + v k';  y = S r;  w = e^(-c sigmoid(x))
 * S is N x N, row i for the value, column j for the key. [V7:wkv]
 * r k v a b y are [batch][steps][heads][N] in T, x and sa the same in float.
 * Built as a shared library with a plain C entry; see wkv7.py.
 */
#include <cuda_bf16.h>
#include <cuda_runtime.h>

namespace {

constexpr int N = 64;        /* head size, and threads in a block */
constexpr int CHUNK = 16;    /* steps between two stored states */
constexpr float C = 0.606531f;

/* Everything a launch reads and writes; the d... are gradients. */
template <typename T> struct Args {
    const T *r, *k, *v, *a, *b;
    const float *x;
    T *y;
    float *sa, *saved;       /* saved: [batch*heads][steps/CHUNK][N][N] */
    const T *dy;
    T *dr, *dk, *dv, *da, *db;
    float *dx;
    int steps, heads;
};

__device__ float sigmoid(float x) { return 1.f / (1.f + __expf(-x)); }

/* Where the vectors of a step lie: `at` for this thread, `stride` a step. */
struct Place {
    long at, stride;
    __device__ Place(int steps, int heads)
    {
        long seq = blockIdx.x / heads, head = blockIdx.x % heads;
        stride = (long)heads * N;
        at = seq * steps * stride + head * N + threadIdx.x;
    }
};

/* One step's vectors as all threads of the block see them. */
struct Step {
    float r[N], w[N], k[N], v[N], a[N], b[N], dy[N], sa[N];
};

/* This thread's element of each vector, fetched ahead of its use. */
struct Lane {
    float r, k, v, a, b, x, dy, sa;
};

template <typename T>
__device__ void fetch(Lane &lane, const Args<T> &p, long at)
{
    lane.r = float(p.r[at]);
    lane.k = float(p.k[at]);
    lane.v = float(p.v[at]);
    lane.a = float(p.a[at]);
    lane.b = float(p.b[at]);
    lane.x = p.x[at];
}

__device__ void share(Step &s, const Lane &lane)
{
    int i = threadIdx.x;
    s.r[i] = lane.r;
    s.k[i] = lane.k;
    s.v[i] = lane.v;
    s.a[i] = lane.a;
    s.b[i] = lane.b;
    s.w[i] = __expf(-C * sigmoid(lane.x));
}

/* Thread i holds row i of the state. Two buffers: one step is worked on while
 * the next is on its way, so one barrier a step is enough. */
template <typename T>
__global__ void __launch_bounds__(N) forward(Args<T> p)
{
    __shared__ __align__(16) Step buffer[2];
    const int i = threadIdx.x;
    Place place(p.steps, p.heads);
    float S[N] = {0.f};
    float *saved = p.saved + (long)blockIdx.x * (p.steps / CHUNK) * N * N;
    Lane lane;

    fetch(lane, p, place.at);
    share(buffer[0], lane);
    __syncthreads();
    for (int t = 0; t < p.steps; t++) {
        const Step &s = buffer[t & 1];
        const long at = place.at + t * place.stride;
        if (t + 1 < p.steps)
            fetch(lane, p, at + place.stride);
        const float v = s.v[i];
        float part[4] = {0.f}, y[4] = {0.f};  /* shorter chains of sums */
#pragma unroll
        for (int j = 0; j < N; j++)
            part[j % 4] += S[j] * s.a[j];
        const float sa = (part[0] + part[1]) + (part[2] + part[3]);
#pragma unroll
        for (int j = 0; j < N; j++) {
            S[j] = S[j] * s.w[j] + sa * s.b[j] + v * s.k[j];
            y[j % 4] += S[j] * s.r[j];
        }
        p.sa[at] = sa;
        p.y[at] = T((y[0] + y[1]) + (y[2] + y[3]));
        if ((t + 1) % CHUNK == 0) {
            float *to = saved + (long)(t / CHUNK) * N * N + i * N;
#pragma unroll
            for (int j = 0; j < N; j++)
                to[j] = S[j];
        }
        share(buffer[(t + 1) & 1], lane);
        __syncthreads();
    }
}

/* The gradient of row i of the state, and what depends on rows only. */
__device__ void rows(float (&dS)[N], const Step &s, float &dv, float &dsa)
{
    const float dy = s.dy[threadIdx.x];
    dv = dsa = 0.f;
#pragma unroll
    for (int j = 0; j < N; j++) {
        dS[j] += dy * s.r[j];
        dv += dS[j] * s.k[j];
        dsa += dS[j] * s.b[j];
    }
#pragma unroll
    for (int j = 0; j < N; j++)
        dS[j] = dS[j] * s.w[j] + dsa * s.a[j];
}

/* Column j of the state S, of its gradient dS, and what sums over rows.
 * S is taken one step back by undoing the update. */
__device__ void columns(float (&S)[N], float (&dS)[N], const Step &s,
                        const float *dsa, Lane &d)
{
    const int j = threadIdx.x;
    const float r = s.r[j], w = s.w[j], k = s.k[j], a = s.a[j], b = s.b[j];
    const float undo = 1.f / w;
    float dw = 0.f;
    d.r = d.k = d.a = d.b = 0.f;
#pragma unroll
    for (int i = 0; i < N; i++) {
        dS[i] += s.dy[i] * r;
        d.r += S[i] * s.dy[i];
        d.k += dS[i] * s.v[i];
        d.b += dS[i] * s.sa[i];
        S[i] = (S[i] - s.sa[i] * b - s.v[i] * k) * undo;
        dw += dS[i] * S[i];
        d.a += S[i] * dsa[i];
        dS[i] = dS[i] * w + dsa[i] * a;
    }
    d.x = dw;
}

/* From the last step to the first. Each thread holds a row of the gradient
 * of the state and a column of it and of the state, so no sum crosses threads
 * but the one shared vector dsa. */
template <typename T>
__global__ void __launch_bounds__(N) backward(Args<T> p)
{
    __shared__ __align__(16) Step buffer[2];
    __shared__ __align__(16) float dsa[N];
    const int i = threadIdx.x;
    Place place(p.steps, p.heads);
    float S[N], dcol[N] = {0.f}, drow[N] = {0.f};
    const float *saved = p.saved + (long)blockIdx.x * (p.steps / CHUNK) * N * N;
    Lane lane, d;

    for (int t = p.steps - 1; t >= 0; t--) {
        Step &s = buffer[t & 1];
        const long at = place.at + t * place.stride;
        if (t == p.steps - 1) {
            fetch(lane, p, at);
            lane.dy = float(p.dy[at]);
            lane.sa = p.sa[at];
        }
        share(s, lane);
        s.dy[i] = lane.dy;
        s.sa[i] = lane.sa;
        const float x = lane.x;
        __syncthreads();
        if (t > 0) {
            fetch(lane, p, at - place.stride);
            lane.dy = float(p.dy[at - place.stride]);
            lane.sa = p.sa[at - place.stride];
        }
        if ((t + 1) % CHUNK == 0) {
            const float *from = saved + (long)(t / CHUNK) * N * N + i;
#pragma unroll
            for (int n = 0; n < N; n++)
                S[n] = from[n * N];
        }
        rows(drow, s, d.v, d.sa);
        dsa[i] = d.sa;
        __syncthreads();
        columns(S, dcol, s, dsa, d);
        const float sig = sigmoid(x);
        p.dr[at] = T(d.r);
        p.dk[at] = T(d.k);
        p.dv[at] = T(d.v);
        p.da[at] = T(d.a);
        p.db[at] = T(d.b);
        p.dx[at] = d.x * s.w[i] * -C * sig * (1.f - sig);
    }
}

template <typename T>
cudaError_t launch(int back, const int *size, void **at, cudaStream_t stream)
{
    Args<T> p;
    p.r = (const T *)at[0];
    p.k = (const T *)at[1];
    p.v = (const T *)at[2];
    p.a = (const T *)at[3];
    p.b = (const T *)at[4];
    p.x = (const float *)at[5];
    p.sa = (float *)at[6];
    p.saved = (float *)at[7];
    p.y = (T *)at[8];
    p.steps = size[1];
    p.heads = size[2];
    if (back) {
        p.dy = (const T *)at[8];
        p.dr = (T *)at[9];
        p.dk = (T *)at[10];
        p.dv = (T *)at[11];
        p.da = (T *)at[12];
        p.db = (T *)at[13];
        p.dx = (float *)at[14];
        backward<T><<<size[0] * size[2], N, 0, stream>>>(p);
    } else {
        forward<T><<<size[0] * size[2], N, 0, stream>>>(p);
    }
    return cudaGetLastError();
}

}

/* size: batch, steps (a multiple of CHUNK), heads. at: r k v a b x sa saved,
 * then y; or, for the backward pass, dy dr dk dv da db dx. 0 is success. */
extern "C" int wkv7_run(int back, int bf16, const int *size, void **at,
                        void *stream)
{
    cudaStream_t s = (cudaStream_t)stream;
    return bf16 ? launch<__nv_bfloat16>(back, size, at, s)
                : launch<float>(back, size, at, s);
}
