/* SPDX-License-Identifier: MIT */
/* Every operation for the self-test, and the elementary kernels of a device. */
#include "op/tables.h"
#include "op/op.h"

const struct anser_op *const anser_ops[] = {
    &anser_op_embedding,   &anser_op_layer_norm,    &anser_op_token_shift,
    &anser_op_matmul_few,  &anser_op_matmul_many,   &anser_op_head_prepare,
    &anser_op_recurrence,  &anser_op_head_finish,   &anser_op_argmax_parts,
    &anser_op_argmax_last, &anser_op_sampler,       NULL
};

enum anser_status anser_elementary(anser_device *device, uint32_t C,
                                   struct anser_elementary *e)
{
    const struct anser_need need = { .cols = C };
    const struct {
        const struct anser_op *op;
        struct anser_chosen *chosen;
    } all[] = {
        { &anser_op_layer_norm, &e->norm },
        { &anser_op_token_shift, &e->shift },
        { &anser_op_head_prepare, &e->prepare },
        { &anser_op_recurrence, &e->wkv7 },
        { &anser_op_head_finish, &e->finish },
        { &anser_op_argmax_parts, &e->argmax_parts },
        { &anser_op_argmax_last, &e->argmax_last },
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        TRY(anser_op_choose(device, all[i].op, &need, all[i].chosen));
    return ANSER_OK;
}
