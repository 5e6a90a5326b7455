/* SPDX-License-Identifier: MIT */
/*
 * The table of an RWKV-7 model's tensors, and what follows from it: sizes by
 * name, bytes read per token, bytes of a state.  Names and shapes: spec 3.1
 * (llama.cpp's).  Binding a file to the table is in v7_bind.c.
 */
#include "base/v7.h"

#define L_(member) offsetof(struct anser_v7_layer, member)
#define F_(member) offsetof(struct anser_v7_file, member)

const struct anser_v7_row anser_v7_layer_rows[] = {
    { "attn_norm.weight",            L_(ln1_w),      V7_C,  V7_1,  V7_MUST },
    { "attn_norm.bias",              L_(ln1_b),      V7_C,  V7_1,  V7_MUST },
    { "time_mix_lerp_fused.weight",  L_(lerp),       V7_C,  V7_6,  V7_MUST },
    { "time_mix_receptance.weight",  L_(receptance), V7_C,  V7_C,  V7_MUST },
    { "time_mix_key.weight",         L_(key),        V7_C,  V7_C,  V7_MUST },
    { "time_mix_value.weight",       L_(value),      V7_C,  V7_C,  V7_MUST },
    { "time_mix_w0.weight",          L_(w0),         V7_C,  V7_1,  V7_MUST },
    { "time_mix_w1.weight",          L_(w1),         V7_C,  V7_DW, V7_MUST },
    { "time_mix_w2.weight",          L_(w2),         V7_DW, V7_C,  V7_MUST },
    { "time_mix_a0.weight",          L_(a0),         V7_C,  V7_1,  V7_MUST },
    { "time_mix_a1.weight",          L_(a1),         V7_C,  V7_DA, V7_MUST },
    { "time_mix_a2.weight",          L_(a2),         V7_DA, V7_C,  V7_MUST },
    { "time_mix_v0.weight",          L_(v0),         V7_C,  V7_1,
                                                     V7_NOT_IN_LAYER_0 },
    { "time_mix_v1.weight",          L_(v1),         V7_C,  V7_DV,
                                                     V7_NOT_IN_LAYER_0 },
    { "time_mix_v2.weight",          L_(v2),         V7_DV, V7_C,
                                                     V7_NOT_IN_LAYER_0 },
    { "time_mix_g1.weight",          L_(g1),         V7_C,  V7_DG, V7_MUST },
    { "time_mix_g2.weight",          L_(g2),         V7_DG, V7_C,  V7_MUST },
    { "time_mix_k_k.weight",         L_(k_k),        V7_C,  V7_1,  V7_MUST },
    { "time_mix_k_a.weight",         L_(k_a),        V7_C,  V7_1,  V7_MUST },
    { "time_mix_r_k.weight",         L_(r_k),        V7_C,  V7_1,  V7_MUST },
    { "time_mix_ln.weight",          L_(ln_x_w),     V7_C,  V7_1,  V7_MUST },
    { "time_mix_ln.bias",            L_(ln_x_b),     V7_C,  V7_1,  V7_MUST },
    { "time_mix_output.weight",      L_(output),     V7_C,  V7_C,  V7_MUST },
    { "attn_norm_2.weight",          L_(ln2_w),      V7_C,  V7_1,  V7_MUST },
    { "attn_norm_2.bias",            L_(ln2_b),      V7_C,  V7_1,  V7_MUST },
    { "channel_mix_lerp_k.weight",   L_(ffn_lerp),   V7_C,  V7_1,  V7_MUST },
    { "channel_mix_key.weight",      L_(ffn_key),    V7_C,  V7_F,  V7_MUST },
    { "channel_mix_value.weight",    L_(ffn_value),  V7_F,  V7_C,  V7_MUST },
    { NULL, 0, V7_1, V7_1, V7_MUST }
};

const struct anser_v7_row anser_v7_file_rows[] = {
    { "token_embd.weight",           F_(embd),       V7_C,  V7_V,  V7_MUST },
    { "token_embd_norm.weight",      F_(ln0_w),      V7_C,  V7_1,  V7_MUST },
    { "token_embd_norm.bias",        F_(ln0_b),      V7_C,  V7_1,  V7_MUST },
    { "output_norm.weight",          F_(ln_out_w),   V7_C,  V7_1,  V7_MUST },
    { "output_norm.bias",            F_(ln_out_b),   V7_C,  V7_1,  V7_MUST },
    { "output.weight",               F_(head),       V7_C,  V7_V,  V7_MUST },
    { NULL, 0, V7_1, V7_1, V7_MUST }
};

uint64_t anser_v7_size(const struct anser_v7_shape *shape,
                       enum anser_v7_dim dim)
{
    switch (dim) {
    case V7_1:  return 1;
    case V7_C:  return shape->C;
    case V7_F:  return shape->F;
    case V7_V:  return shape->V;
    case V7_6:  return 6;
    case V7_DW: return shape->Dw;
    case V7_DA: return shape->Da;
    case V7_DV: return shape->Dv;
    case V7_DG: return shape->Dg;
    }
    return 0;
}

anser_v7_ref anser_v7_at(const void *base, const struct anser_v7_row *row)
{
    return *(const anser_v7_ref *)((const char *)base + row->offset);
}

/* Tensors of base that rows name; those that are absent count nothing. */
static uint64_t sum_bytes(const void *base, const struct anser_v7_row *rows)
{
    uint64_t sum = 0;
    for (const struct anser_v7_row *row = rows; row->name != NULL; row++)
        if (anser_v7_at(base, row) != NULL)
            sum += anser_v7_at(base, row)->bytes;
    return sum;
}

/* Everything once, but of the embedding one row only. */
uint64_t anser_v7_token_bytes(const struct anser_v7_file *v7)
{
    uint64_t sum = sum_bytes(v7, anser_v7_file_rows);
    sum -= v7->embd->bytes;
    sum += anser_block_bytes(v7->embd->block, v7->shape.C);
    for (uint32_t i = 0; i < v7->shape.L; i++)
        sum += sum_bytes(&v7->layers[i], anser_v7_layer_rows);
    return sum;
}

uint64_t anser_v7_state_bytes(const struct anser_v7_shape *shape)
{
    return shape->L * V7_STATE_FLOATS(shape) * sizeof(float);
}
