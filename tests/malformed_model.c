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
static const char eps_key[] = "rwkv7.attention.layer_norm_epsilon";

static void set_u32(struct forge *f, const char *name, uint32_t value)
{
    forge_set_value(forge_key(f, name), GGUF_U32, &value, sizeof value);
}

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

static void no_arch(struct forge *f) { forge_drop_key(f, arch_key); }
static void arch_number(struct forge *f) { set_u32(f, arch_key, 7); }
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

static void no_C(struct forge *f) { forge_drop_key(f, C_key); }
static void C_float(struct forge *f) { set_f32(f, C_key, 64.0f); }
static void C_0(struct forge *f) { set_u32(f, C_key, 0); }
static void C_65(struct forge *f) { set_u32(f, C_key, 65); }
static void C_128(struct forge *f) { set_u32(f, C_key, 128); }
static void C_max(struct forge *f) { set_u32(f, C_key, UINT32_MAX); }

static void C_negative(struct forge *f)
{
    forge_set_value(forge_key(f, C_key), GGUF_I32, "\300\377\377\377", 4);
}

static void C_huge(struct forge *f)
{
    forge_set_value(forge_key(f, C_key), GGUF_U64, "\100\0\0\0\1\0\0\0", 8);
}

static void no_L(struct forge *f) { forge_drop_key(f, L_key); }
static void L_0(struct forge *f) { set_u32(f, L_key, 0); }
static void L_one_more(struct forge *f) { set_u32(f, L_key, 3); }
static void L_one_fewer(struct forge *f) { set_u32(f, L_key, 1); }
static void L_max(struct forge *f) { set_u32(f, L_key, UINT32_MAX); }
static void no_F(struct forge *f) { forge_drop_key(f, F_key); }
static void F_other(struct forge *f) { set_u32(f, F_key, 256); }
static void no_N(struct forge *f) { forge_drop_key(f, N_key); }
static void N_32(struct forge *f) { set_u32(f, N_key, 32); }
static void N_0(struct forge *f) { set_u32(f, N_key, 0); }

static void rank(struct forge *f, const char *which, uint32_t value)
{
    char name[64] = "rwkv7.attention.";
    strcat(strcat(name, which), "_lora_rank");
    set_u32(f, name, value);
}

static void Dw_other(struct forge *f) { rank(f, "decay", 17); }
static void Dw_0(struct forge *f) { rank(f, "decay", 0); }
static void Da_other(struct forge *f) { rank(f, "iclr", 32); }
static void Dv_other(struct forge *f) { rank(f, "value_residual_mix", 16); }
static void Dg_other(struct forge *f) { rank(f, "gate", 20); }

static void no_Dg(struct forge *f)
{
    forge_drop_key(f, "rwkv7.attention.gate_lora_rank");
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

static void no_head(struct forge *f) { forge_drop_tensor(f, "output.weight"); }

static void no_embedding(struct forge *f)
{
    forge_drop_tensor(f, "token_embd.weight");
}

static void no_norm(struct forge *f)
{
    forge_drop_tensor(f, "token_embd_norm.bias");
}

static void no_w1(struct forge *f)
{
    forge_drop_tensor(f, "blk.0.time_mix_w1.weight");
}

static void no_v1(struct forge *f)
{
    forge_drop_tensor(f, "blk.1.time_mix_v1.weight");
}

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
    { "no-arch", arch_key, no_arch, NULL },
    { "arch-number", arch_key, arch_number, NULL },
    { "arch-empty", arch_key, arch_empty, NULL },
    { "arch-llama", "llama", arch_llama, NULL },
    { "arch-rwkv6", "rwkv6", arch_rwkv6, NULL },
    { "arch-hybrid", "arwkv7", arch_hybrid, NULL },
    { "arch-strange", arch_key, arch_strange, NULL },
    { "split", "split.count", split, NULL },
    { "no-C", C_key, no_C, NULL },
    { "C-float", C_key, C_float, NULL },
    { "C-0", C_key, C_0, NULL },
    { "C-65", C_key, C_65, NULL },
    { "C-128", "token_embd.weight", C_128, NULL },
    { "C-max", C_key, C_max, NULL },
    { "C-negative", C_key, C_negative, NULL },
    { "C-huge", C_key, C_huge, NULL },
    { "no-L", L_key, no_L, NULL },
    { "L-0", L_key, L_0, NULL },
    { "L-one-more", "blk.2.", L_one_more, NULL },
    { "L-one-fewer", "blk.1.", L_one_fewer, NULL },
    { "L-max", L_key, L_max, NULL },
    { "no-F", F_key, no_F, NULL },
    { "F-other", "channel_mix_key.weight", F_other, NULL },
    { "no-N", N_key, no_N, NULL },
    { "N-32", N_key, N_32, NULL },
    { "N-0", N_key, N_0, NULL },
    { "Dw-other", "time_mix_w1.weight", Dw_other, NULL },
    { "Dw-0", "rwkv7.attention.decay_lora_rank", Dw_0, NULL },
    { "Da-other", "time_mix_a1.weight", Da_other, NULL },
    { "Dv-other", "blk.1.time_mix_v1.weight", Dv_other, NULL },
    { "Dg-other", "time_mix_g1.weight", Dg_other, NULL },
    { "no-Dg", "rwkv7.attention.gate_lora_rank", no_Dg, NULL },
    { "eps-0", eps_key, eps_0, NULL },
    { "eps-negative", eps_key, eps_negative, NULL },
    { "eps-text", eps_key, eps_text, NULL },
    { "eps-nan", eps_key, eps_nan, NULL },
    { "one-shift", "rwkv7.token_shift_count", one_shift, NULL },
    { "no-head", "output.weight", no_head, NULL },
    { "no-embedding", "token_embd.weight", no_embedding, NULL },
    { "no-norm", "token_embd_norm.bias", no_norm, NULL },
    { "no-w1", "blk.0.time_mix_w1.weight", no_w1, NULL },
    { "no-v1", "blk.1.time_mix_v1.weight", no_v1, NULL },
    { "no-tensors", "token_embd.weight", no_tensors, NULL },
    { "extra", "blk.0.channel_mix_s_emb.weight", extra, NULL },
    { "transposed", "blk.1.channel_mix_key.weight", transposed, NULL },
    { "lora-transposed", "blk.1.time_mix_g1.weight", lora_transposed, NULL },
    { "folded-vector", "blk.0.time_mix_k_k.weight", folded_vector, NULL },
    { "lerp-across", "blk.0.time_mix_lerp_fused.weight", lerp_across, NULL },
    { "lerp-of-5", "blk.0.time_mix_lerp_fused.weight", lerp_of_5, NULL },
    { "head-of-other-V", "output.weight", head_of_other_V, NULL },
    { "embedding-of-other-C", "token_embd.weight", embedding_of_other_C,
      NULL },
    { NULL, NULL, NULL, NULL }
};
