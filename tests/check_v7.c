/* SPDX-License-Identifier: MIT */
/*
 * Binding files to the table of RWKV-7's tensors: the forms that are accepted,
 * the sizes that are told, and a few refusals (all of them: check_malformed).
 */
#include "check_util.h"

#include "base/v7.h"

#include <stdlib.h>
#include <string.h>

static anser_ctx *ctx;

static void enter(void)
{
    test_enter();
    ctx = test_ctx();
}

static void leave(void)
{
    anser_ctx_free(ctx);
    test_leave();
}

static anser_file *make(const struct test_tiny *tiny)
{
    anser_file *file = NULL;
    test_make_tiny(test_path("tiny.gguf"), tiny);
    ck_assert_msg(anser_file_open(ctx, test_path("tiny.gguf"), &file)
                  == ANSER_OK, "%s", anser_error(ctx));
    return file;
}

static void check_info(const anser_file *file, const struct test_tiny *tiny)
{
    struct anser_file_info info = { .size = sizeof info };
    ck_assert_int_eq(anser_file_info(file, &info), ANSER_OK);
    ck_assert_str_eq(info.name, "tiny");
    ck_assert_uint_eq(info.n_embd, tiny->C);
    ck_assert_uint_eq(info.n_head, tiny->C / 64);
    ck_assert_uint_eq(info.head_size, 64);
    ck_assert_uint_eq(info.n_layer, tiny->L);
    ck_assert_uint_eq(info.n_ff, tiny->F);
    ck_assert_uint_eq(info.n_vocab, tiny->V);
    ck_assert_uint_eq(info.lora_decay, tiny->Dw);
    ck_assert_uint_eq(info.lora_iclr, tiny->Da);
    ck_assert_uint_eq(info.lora_value, tiny->Dv);
    ck_assert_uint_eq(info.lora_gate, tiny->Dg);
    ck_assert_uint_eq(info.state_bytes,
                      4 * tiny->L * (tiny->C * 64 + 2 * tiny->C));
    ck_assert_uint_gt(info.device_bytes, 0);
}

static void accept(const struct test_tiny *tiny)
{
    anser_file *file = make(tiny);
    struct anser_v7_file v7;
    ck_assert_msg(anser_v7_bind(file, &v7) == ANSER_OK, "%s",
                  anser_error(ctx));
    for (const struct anser_v7_row *row = anser_v7_layer_rows;
         row->name != NULL; row++)
        for (uint32_t i = 0; i < tiny->L; i++)
            ck_assert((anser_v7_at(&v7.layers[i], row) == NULL)
                      == (i == 0 && row->need == V7_NOT_IN_LAYER_0));
    ck_assert_str_eq(v7.layers[1].v2->name, "blk.1.time_mix_v2.weight");
    check_info(file, tiny);
    anser_v7_unbind(&v7);
    anser_v7_unbind(NULL);
    anser_file_close(file);
}

START_TEST(accepted_forms)
{
    struct test_tiny tiny;
    test_tiny_defaults(&tiny);
    accept(&tiny);
    tiny.no_layer0_v = 1;
    accept(&tiny);
    tiny.flat_lerp = 1;
    tiny.folded_r_k = 1;
    accept(&tiny);
    tiny.C = 128;
    accept(&tiny);
    tiny.drop_key = "rwkv7.context_length";
    accept(&tiny);
    tiny.set_key = "rwkv7.token_shift_count";
    tiny.set_value = 2;
    accept(&tiny);
    tiny.set_key = "split.count";
    tiny.set_value = 1;
    accept(&tiny);
}
END_TEST

/* Every type for every matrix, as far as its blocks fit. */
START_TEST(accepted_types)
{
    struct test_tiny tiny = {
        .C = 256, .L = 2, .F = 256, .V = 320, .Dw = 256, .Da = 256, .Dv = 256,
        .Dg = 256, .arch = "rwkv7", .seed = 7
    };
    for (const struct anser_block *b = anser_blocks; b->name != NULL; b++) {
        tiny.type = b->name;
        accept(&tiny);
    }
    tiny.type = "mixed";
    accept(&tiny);
}
END_TEST

START_TEST(epsilon)
{
    struct test_tiny tiny;
    struct anser_v7_file v7;
    test_tiny_defaults(&tiny);
    tiny.drop_key = "rwkv7.attention.layer_norm_epsilon";
    anser_file *file = make(&tiny);
    ck_assert_int_eq(anser_v7_bind(file, &v7), ANSER_OK);
    ck_assert_float_eq(v7.shape.ln_eps, 1e-5f);
    anser_v7_unbind(&v7);
    anser_file_close(file);
}
END_TEST

/* Bytes per token, added up from the file's own list. */
START_TEST(token_bytes)
{
    struct test_tiny tiny;
    struct anser_file_info info = { .size = sizeof info };
    struct anser_tensor_info t = { .size = sizeof t };
    uint64_t sum = 0, params = 0;
    test_tiny_defaults(&tiny);
    anser_file *file = make(&tiny);
    for (uint64_t i = 0; i < anser_file_tensors(file); i++) {
        ck_assert_int_eq(anser_file_tensor(file, i, &t), ANSER_OK);
        params += t.bytes / 4;
        if (strcmp(t.name, "token_embd.weight") == 0)
            sum += t.ne[0] * 4;
        else if (strncmp(t.name, "blk.0.time_mix_v", 16) != 0
                 || t.name[16] == 'a')
            sum += t.bytes;          /* time_mix_value, not v0 v1 v2        */
    }
    ck_assert_int_eq(anser_file_info(file, &info), ANSER_OK);
    ck_assert_uint_eq(info.token_bytes, sum);
    ck_assert_uint_eq(info.n_params, params);
    ck_assert_uint_eq(info.file_bytes, file->bytes);
    ck_assert_int_eq(anser_file_tensor(file, 62, &t), ANSER_BAD_ARG);
    anser_file_close(file);
}
END_TEST

/* A caller compiled against a shorter or a longer struct. */
START_TEST(struct_sizes)
{
    struct test_tiny tiny;
    struct anser_file_info info;
    struct { struct anser_file_info info; char more[32]; } later;
    test_tiny_defaults(&tiny);
    anser_file *file = make(&tiny);
    memset(&info, 0x55, sizeof info);
    info.size = offsetof(struct anser_file_info, n_embd);
    ck_assert_int_eq(anser_file_info(file, &info), ANSER_OK);
    ck_assert_uint_eq(info.n_layer, tiny.L);
    ck_assert_uint_eq(info.n_embd, 0x55555555);
    memset(&later, 0x55, sizeof later);
    later.info.size = sizeof later;
    ck_assert_int_eq(anser_file_info(file, &later.info), ANSER_OK);
    ck_assert_uint_eq(later.info.n_embd, tiny.C);
    ck_assert_uint_eq(later.info.size, sizeof later);
    for (size_t i = 0; i < sizeof later.more; i++)
        ck_assert_int_eq(later.more[i], 0);
    info.size = 0;
    ck_assert_int_eq(anser_file_info(file, &info), ANSER_BAD_ARG);
    anser_file_close(file);
}
END_TEST

static void refuse(const struct test_tiny *tiny, const char *part)
{
    anser_file *file = make(tiny);
    struct anser_v7_file v7 = { .layers = (void *)&v7 };
    ck_assert_int_eq(anser_v7_bind(file, &v7), ANSER_UNSUPPORTED);
    ck_assert_msg(strstr(anser_error(ctx), part) != NULL, "%s",
                  anser_error(ctx));
    ck_assert_ptr_eq(v7.layers, (void *)&v7);    /* untouched               */
    anser_file_close(file);
}

START_TEST(refusals)
{
    struct test_tiny tiny;
    test_tiny_defaults(&tiny);
    tiny.arch = "arwkv7";
    refuse(&tiny, "\"arwkv7\", a hybrid");
    tiny.arch = "mamba";
    refuse(&tiny, "\"mamba\"");
    tiny.arch = "rwkv7";
    tiny.drop_tensor = "output.weight";
    refuse(&tiny, "tied");
    tiny.drop_tensor = "blk.1.time_mix_v0.weight";
    refuse(&tiny, "blk.1.time_mix_v0.weight is missing");
    tiny.drop_tensor = NULL;
    tiny.add_tensor = "blk.1.ffn_gate.weight";
    refuse(&tiny, "blk.1.ffn_gate.weight is no part");
    tiny.add_tensor = NULL;
    tiny.set_key = "rwkv7.wkv.head_size";
    tiny.set_value = 128;
    refuse(&tiny, "head_size is 128, expected 64");
    tiny.set_key = "split.count";
    tiny.set_value = 2;
    refuse(&tiny, "split.count is 2");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("v7");
    TCase *tc = tcase_create("v7");
    tcase_add_checked_fixture(tc, enter, leave);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, accepted_forms);
    tcase_add_test(tc, accepted_types);
    tcase_add_test(tc, epsilon);
    tcase_add_test(tc, token_bytes);
    tcase_add_test(tc, struct_sizes);
    tcase_add_test(tc, refusals);
    suite_add_tcase(suite, tc);
    return test_run(suite, 1);
}
