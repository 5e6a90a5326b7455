/* SPDX-License-Identifier: MIT */
/* A context and a small file for the suites of GGUF files. */
#include "gguf_util.h"

anser_ctx *gguf_ctx;

void gguf_enter(void)
{
    test_enter();
    gguf_ctx = test_ctx();
}

void gguf_leave(void)
{
    anser_ctx_free(gguf_ctx);
    test_leave();
}

void gguf_must(enum anser_status status)
{
    ck_assert_msg(status == ANSER_OK, "%s", anser_error(gguf_ctx));
}

void gguf_write_sample(struct anser_gguf_writer *w)
{
    const uint64_t ne1[1] = { 5 }, ne2[2] = { 64, 3 };
    const int32_t numbers[3] = { -1, 0, 70000 };
    const struct anser_gguf_text texts[3] = {
        { "one", 3 }, { "", 0 }, { "a\0b", 3 }
    };
    gguf_must(anser_gguf_put_string(w, "general.name", "sample"));
    gguf_must(anser_gguf_put_u32(w, "a.u32", 4000000000u));
    gguf_must(anser_gguf_put_f32(w, "a.f32", 0.25f));
    gguf_must(anser_gguf_put_strings(w, "a.strings", 3, texts));
    gguf_must(anser_gguf_put_i32s(w, "a.i32s", 3, numbers));
    gguf_must(anser_gguf_put_tensor(w, "small", ANSER_F32, 1, ne1));
    gguf_must(anser_gguf_put_tensor(w, "blocks", ANSER_Q8_0, 2, ne2));
}
