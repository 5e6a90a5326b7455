/* SPDX-License-Identifier: MIT */
/* Cases: sound GGUF files that hold no RWKV-7 model that Anser runs. */
#include "malformed.h"

#include <stdlib.h>
#include <string.h>

static const char arch_key[] = "general.architecture";
static const char C_key[] = "rwkv7.embedding_length";
static const char L_key[] = "rwkv7.block_count";
static const char F_key[] = "rwkv7.feed_forward_length";
static const char N_key[] = "rwkv7.wkv.head_size";
static const char Dw_key[] = "rwkv7.attention.decay_lora_rank";
static const char Da_key[] = "rwkv7.attention.iclr_lora_rank";
static const char Dv_key[] = "rwkv7.attention.value_residual_mix_lora_rank";
static const char Dg_key[] = "rwkv7.attention.gate_lora_rank";
static const char eps_key[] = "rwkv7.attention.layer_norm_epsilon";

static void set_f32(struct forge *f, const char *name, float value)
{
    forge_set_value(forge_key(f, name), GGUF_F32, &value, sizeof value);
}

/* text with a length in front. */
static void set_text(struct forge *f, const char *name, const char *text)
{
    unsigned char buf[64];
    uint64_t n = strlen(text);
    memcpy(buf, &n, sizeof n);
    memcpy(buf + sizeof n, text, (size_t)n);
    forge_set_value(forge_key(f, name), GGUF_STRING, buf, sizeof n + n);
}

/* ------------------------------------------------------- architecture */

static void arch_empty(struct forge *f) { set_text(f, arch_key, ""); }
static void arch_llama(struct forge *f) { set_text(f, arch_key, "llama"); }
static void arch_rwkv6(struct forge *f) { set_text(f, arch_key, "rwkv6"); }
static void arch_hybrid(struct forge *f) { set_text(f, arch_key, "arwkv7"); }

static void arch_strange(struct forge *f)
{
    set_text(f, arch_key, "rwkv7\n\033[31m and fifty bytes more of it");
}

static void split(struct forge *f)
{
    forge_add_key(f, "split.count", GGUF_U16, "\4\0", 2);
}

/* -------------------------------------------------------------- sizes */

static void C_float(struct forge *f) { set_f32(f, C_key, 64.0f); }

static void C_negative(struct forge *f)
{
    forge_set_value(forge_key(f, C_key), GGUF_I32, "\300\377\377\377", 4);
}

static void C_huge(struct forge *f)
{
    forge_set_value(forge_key(f, C_key), GGUF_U64, "\100\0\0\0\1\0\0\0", 8);
}

static void eps_0(struct forge *f) { set_f32(f, eps_key, 0.0f); }
static void eps_negative(struct forge *f) { set_f32(f, eps_key, -1e-5f); }
static void eps_text(struct forge *f) { set_text(f, eps_key, "1e-5"); }

static void eps_nan(struct forge *f)
{
    forge_set_value(forge_key(f, eps_key), GGUF_F32, "\0\0\300\177", 4);
}

static void one_shift(struct forge *f)
{
    forge_add_key(f, "rwkv7.token_shift_count", GGUF_U32, "\1\0\0\0", 4);
}

/* ------------------------------------------------------------ tensors */

static void no_tensors(struct forge *f)
{
    while (f->has_tensors > 0)
        free(f->tensors[--f->has_tensors].name);
    f->n_tensors = 0;
    f->data_n = 0;
}

/* As RWKV-7a has them. */
static void extra(struct forge *f)
{
    forge_rename_tensor(forge_tensor(f, "blk.0.time_mix_v0.weight"),
                        "blk.0.channel_mix_s_emb.weight", 30);
}

/* Sizes of a tensor, with the same number of elements. */
static void reshape(struct forge *f, const char *name, uint64_t ne0,
                    uint64_t ne1)
{
    struct forge_tensor *t = forge_tensor(f, name);
    t->n_dims = t->n_ne = 2;
    t->ne[0] = ne0;
    t->ne[1] = ne1;
    t->ne[2] = t->ne[3] = 1;
}

static void transposed(struct forge *f)
{
    reshape(f, "blk.1.channel_mix_key.weight", 128, 64);
}

static void lora_transposed(struct forge *f)
{
    reshape(f, "blk.1.time_mix_g1.weight", 40, 64);
}

static void folded_vector(struct forge *f)
{
    reshape(f, "blk.0.time_mix_k_k.weight", 32, 2);
}

static void lerp_across(struct forge *f)
{
    reshape(f, "blk.0.time_mix_lerp_fused.weight", 6, 64);
}

static void lerp_of_5(struct forge *f)
{
    reshape(f, "blk.0.time_mix_lerp_fused.weight", 64, 5);
    forge_place(f);
}

static void head_of_other_V(struct forge *f)
{
    reshape(f, "output.weight", 64, 319);
    forge_place(f);
}

static void embedding_of_other_C(struct forge *f)
{
    reshape(f, "token_embd.weight", 32, 640);
}

const struct malformed malformed_model[] = {
    { .name = "no-arch", .expected = arch_key, .drop_key = arch_key },
    { .name = "arch-number", .expected = arch_key, .key = arch_key,
      .value = 7 },
    { .name = "arch-empty", .expected = arch_key, .alter = arch_empty },
    { .name = "arch-llama", .expected = "llama", .alter = arch_llama },
    { .name = "arch-rwkv6", .expected = "rwkv6", .alter = arch_rwkv6 },
    { .name = "arch-hybrid", .expected = "arwkv7", .alter = arch_hybrid },
    { .name = "arch-strange", .expected = arch_key, .alter = arch_strange },
    { .name = "split", .expected = "split.count", .alter = split },
    { .name = "no-C", .expected = C_key, .drop_key = C_key },
    { .name = "C-float", .expected = C_key, .alter = C_float },
    { .name = "C-0", .expected = C_key, .key = C_key, .value = 0 },
    { .name = "C-65", .expected = C_key, .key = C_key, .value = 65 },
    { .name = "C-128", .expected = "token_embd.weight", .key = C_key,
      .value = 128 },
    { .name = "C-max", .expected = C_key, .key = C_key, .value = UINT32_MAX },
    { .name = "C-negative", .expected = C_key, .alter = C_negative },
    { .name = "C-huge", .expected = C_key, .alter = C_huge },
    { .name = "no-L", .expected = L_key, .drop_key = L_key },
    { .name = "L-0", .expected = L_key, .key = L_key, .value = 0 },
    { .name = "L-one-more", .expected = "blk.2.", .key = L_key, .value = 3 },
    { .name = "L-one-fewer", .expected = "blk.1.", .key = L_key, .value = 1 },
    { .name = "L-max", .expected = L_key, .key = L_key, .value = UINT32_MAX },
    { .name = "no-F", .expected = F_key, .drop_key = F_key },
    { .name = "F-other", .expected = "channel_mix_key.weight", .key = F_key,
      .value = 256 },
    { .name = "no-N", .expected = N_key, .drop_key = N_key },
    { .name = "N-32", .expected = N_key, .key = N_key, .value = 32 },
    { .name = "N-0", .expected = N_key, .key = N_key, .value = 0 },
    { .name = "Dw-other", .expected = "time_mix_w1.weight", .key = Dw_key,
      .value = 17 },
    { .name = "Dw-0", .expected = Dw_key, .key = Dw_key, .value = 0 },
    { .name = "Da-other", .expected = "time_mix_a1.weight", .key = Da_key,
      .value = 32 },
    { .name = "Dv-other", .expected = "blk.1.time_mix_v1.weight",
      .key = Dv_key, .value = 16 },
    { .name = "Dg-other", .expected = "time_mix_g1.weight", .key = Dg_key,
      .value = 20 },
    { .name = "no-Dg", .expected = Dg_key, .drop_key = Dg_key },
    { .name = "eps-0", .expected = eps_key, .alter = eps_0 },
    { .name = "eps-negative", .expected = eps_key, .alter = eps_negative },
    { .name = "eps-text", .expected = eps_key, .alter = eps_text },
    { .name = "eps-nan", .expected = eps_key, .alter = eps_nan },
    { .name = "one-shift", .expected = "rwkv7.token_shift_count",
      .alter = one_shift },
    { .name = "no-head", .expected = "output.weight",
      .drop_tensor = "output.weight" },
    { .name = "no-embedding", .expected = "token_embd.weight",
      .drop_tensor = "token_embd.weight" },
    { .name = "no-norm", .expected = "token_embd_norm.bias",
      .drop_tensor = "token_embd_norm.bias" },
    { .name = "no-w1", .expected = "blk.0.time_mix_w1.weight",
      .drop_tensor = "blk.0.time_mix_w1.weight" },
    { .name = "no-v1", .expected = "blk.1.time_mix_v1.weight",
      .drop_tensor = "blk.1.time_mix_v1.weight" },
    { .name = "no-tensors", .expected = "token_embd.weight",
      .alter = no_tensors },
    { .name = "extra", .expected = "blk.0.channel_mix_s_emb.weight",
      .alter = extra },
    { .name = "transposed", .expected = "blk.1.channel_mix_key.weight",
      .alter = transposed },
    { .name = "lora-transposed", .expected = "blk.1.time_mix_g1.weight",
      .alter = lora_transposed },
    { .name = "folded-vector", .expected = "blk.0.time_mix_k_k.weight",
      .alter = folded_vector },
    { .name = "lerp-across", .expected = "blk.0.time_mix_lerp_fused.weight",
      .alter = lerp_across },
    { .name = "lerp-of-5", .expected = "blk.0.time_mix_lerp_fused.weight",
      .alter = lerp_of_5 },
    { .name = "head-of-other-V", .expected = "output.weight",
      .alter = head_of_other_V },
    { .name = "embedding-of-other-C", .expected = "token_embd.weight",
      .alter = embedding_of_other_C },
    { .name = NULL }
};
