/* SPDX-License-Identifier: MIT */
/* Bytes into buffers by threads, through pinned memory and without; few and
 * many; cancelled; refused by the driver. */
#include "rt_util.h"

#include "model/upload.h"
#include "rt/buffer.h"
#include "rt/queue.h"

#include <stdlib.h>
#include <string.h>

/* Odd sizes: neither pieces nor buffers come out even.  MANY takes threads. */
enum { FEW = 70001, MANY = 20 * 1000 * 1000 + 3, GAP = 52 };

static unsigned char *made_up(size_t n)
{
    unsigned char *data = malloc(n);
    ck_assert_ptr_nonnull(data);
    uint32_t x = 1;
    for (size_t i = 0; i < n; i++)
        data[i] = (unsigned char)((x = x * 1664525u + 1013904223u) >> 24);
    return data;
}

/* The first third and the rest of data(n), a gap between them. */
static void round_trip(bool pinned, size_t n)
{
    unsigned char *data = made_up(n), *back = calloc(1, n + GAP);
    const size_t third = n / 3;
    struct anser_upload *u;
    struct anser_buf buf;
    ck_assert_ptr_nonnull(back);
    ck_assert_int_eq(anser_buf_new_exact(device, n + GAP, &buf), ANSER_OK);
    ck_assert_int_eq(anser_upload_new(device, pinned, &u), ANSER_OK);
    ck_assert_int_eq(anser_upload_add(u, buf.mem, 0, data, third), ANSER_OK);
    ck_assert_int_eq(anser_upload_add(u, buf.mem, third + GAP, data + third,
                                      n - third), ANSER_OK);
    anser_upload_start(u);
    ck_assert_int_eq(anser_upload_finish(u), ANSER_OK);
    ck_assert(anser_upload_ended(u));
    ck_assert_uint_eq(anser_upload_done(u), n);
    anser_upload_free(u);
    anser_queue_read(device->queue, buf.mem, 0, back, n + GAP);
    ck_assert_int_eq(anser_queue_finish(device->queue), ANSER_OK);
    ck_assert_int_eq(memcmp(back, data, third), 0);
    ck_assert_int_eq(memcmp(back + third + GAP, data + third, n - third), 0);
    anser_buf_free_exact(device, &buf);
    free(data);
    free(back);
}

START_TEST(what_goes_up_comes_back)
{
    rt_open();
    round_trip(_i % 2 != 0, _i / 2 != 0 ? MANY : FEW);
}
END_TEST

START_TEST(without_pinned_memory)
{
    rt_open();
    unsigned char *data = made_up(FEW);
    struct anser_buf buf;
    struct anser_upload *u;
    ck_assert_int_eq(anser_buf_new_exact(device, FEW, &buf), ANSER_OK);
    ck_assert_int_eq(anser_upload_new(device, true, &u), ANSER_OK);
    ck_assert_int_eq(anser_upload_add(u, buf.mem, 0, data, FEW), ANSER_OK);
    fault_next(&fault_buffer, 1, CL_MEM_OBJECT_ALLOCATION_FAILURE);
    anser_upload_start(u);
    ck_assert_int_eq(anser_upload_finish(u), ANSER_OK);
    ck_assert_uint_eq(anser_upload_done(u), FEW);
    anser_upload_free(u);
    anser_buf_free_exact(device, &buf);
    free(data);
}
END_TEST

START_TEST(cancelled_and_refused)
{
    rt_open();
    unsigned char *data = made_up(FEW);
    struct anser_buf buf;
    struct anser_upload *u;
    ck_assert_int_eq(anser_buf_new_exact(device, FEW, &buf), ANSER_OK);
    ck_assert_int_eq(anser_upload_new(device, false, &u), ANSER_OK);
    ck_assert_int_eq(anser_upload_add(u, buf.mem, 0, data, FEW), ANSER_OK);
    anser_upload_cancel(u);
    anser_upload_start(u);
    ck_assert_int_eq(anser_upload_finish(u), ANSER_CANCELLED);
    ck_assert_uint_eq(anser_upload_done(u), 0);
    anser_upload_free(u);
    /* Beyond the buffer's end. */
    ck_assert_int_eq(anser_upload_new(device, false, &u), ANSER_OK);
    ck_assert_int_eq(anser_upload_add(u, buf.mem, 1, data, FEW), ANSER_OK);
    anser_upload_start(u);
    ck_assert_int_eq(anser_upload_finish(u), ANSER_DEVICE_FAILED);
    rt_must_say("uploading the weights");
    anser_upload_free(u);
    anser_buf_free_exact(device, &buf);
    free(data);
}
END_TEST

static Suite *upload_suite(void)
{
    Suite *suite = suite_create("upload");
    TCase *tc = tcase_create("upload");
    tcase_add_checked_fixture(tc, rt_set_up, rt_tear_down);
    tcase_set_timeout(tc, 300);
    tcase_add_loop_test(tc, what_goes_up_comes_back, 0, 4);
    tcase_add_test(tc, without_pinned_memory);
    tcase_add_test(tc, cancelled_and_refused);
    suite_add_tcase(suite, tc);
    return suite;
}

int main(void)
{
    return rt_main(upload_suite);
}
