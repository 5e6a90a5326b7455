/* SPDX-License-Identifier: MIT */
/* Programs and kernels: built once, and what a failure tells. */
#include "rt_util.h"

#include "rt/program.h"

#include <stdio.h>
#include <string.h>

static const struct anser_kernel_key key_of_probe = {
    "probe.cl", NULL, "probe"
};

static struct anser_kernel *get(const struct anser_kernel_key *key)
{
    struct anser_kernel *kernel = NULL;
    if (anser_kernel_get(device, key, &kernel) != ANSER_OK)
        ck_abort_msg("%s", anser_error(ctx));
    return kernel;
}

START_TEST(a_program_is_built_once)
{
    struct anser_program_stats s;
    rt_open();
    struct anser_kernel *kernel = get(&key_of_probe);
    ck_assert_ptr_eq(get(&key_of_probe), kernel);
    ck_assert_uint_ge(kernel->max_group, 1);
    anser_programs_stats(device, &s);
    ck_assert_uint_eq(s.from_source, 1);
    ck_assert_uint_eq(s.from_cache, 0);
    struct anser_kernel_key other = key_of_probe;
    struct anser_kernel *with_options;
    other.options = "-DSOMETHING=1 -DELSE=2";
    ck_assert_int_eq(anser_kernel_get(device, &other, &with_options),
                     ANSER_OK);
    ck_assert_ptr_ne(with_options, kernel);
    anser_programs_stats(device, &s);
    ck_assert_uint_eq(s.from_source, 2);
}
END_TEST

/* A log line of a driver: its text is what the test is about. */
static char logged[8192];
static void keep_log(void *user, int level, const char *line)
{
    size_t n = strlen(logged);
    snprintf(logged + n, sizeof logged - n, "%d %s\n", level, line);
    (void)user;
}

START_TEST(a_build_error_names_the_place)
{
    const struct anser_kernel_key key = {
        "probe.cl", "-Dprobe=1", "probe"
    };
    struct anser_kernel *kernel = NULL;
    struct anser_program_stats s;
    logged[0] = '\0';
    anser_log_to(ctx, keep_log, NULL);
    rt_open();
    /* Oclgrind 21.10 and NVIDIA's driver 580 do not follow #line. */
    const char *platform = device->caps.platform;
    const char *place = strcmp(platform, "Oclgrind") == 0      ? "input.cl:"
                        : strcmp(platform, "NVIDIA CUDA") == 0 ? "<kernel>:"
                                                               : "probe.cl:5";
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(anser_kernel_get(device, &key, &kernel),
                         ANSER_DEVICE_FAILED);
        rt_must_say("probe.cl with options '-Dprobe=1'");
        rt_must_say(place);
        ck_assert_ptr_null(kernel);
    }
    ck_assert_ptr_nonnull(strstr(logged, "1 build log of probe.cl"));
    ck_assert_uint_eq(fault_source.calls, 1);    /* tried only once */
    anser_programs_stats(device, &s);
    ck_assert_uint_eq(s.from_source, 0);
}
END_TEST

START_TEST(wrong_names_are_refused)
{
    struct anser_kernel_key key = { "nothing.cl", NULL, "probe" };
    struct anser_kernel *kernel = NULL;
    rt_open();
    ck_assert_int_eq(anser_kernel_get(device, &key, &kernel),
                     ANSER_UNSUPPORTED);
    rt_must_say("nothing.cl");
    key = key_of_probe;
    key.kernel = "no_such_kernel";
    ck_assert_int_eq(anser_kernel_get(device, &key, &kernel),
                     ANSER_DEVICE_FAILED);
    rt_must_say("no_such_kernel");
    rt_must_say("CL_INVALID_KERNEL_NAME");
    ck_assert_ptr_null(kernel);
}
END_TEST

static Suite *program_suite(void)
{
    Suite *suite = suite_create("program");
    TCase *tc = tcase_create("program");
    tcase_add_checked_fixture(tc, rt_set_up, rt_tear_down);
    tcase_set_timeout(tc, 300);
    tcase_add_test(tc, a_program_is_built_once);
    tcase_add_test(tc, a_build_error_names_the_place);
    tcase_add_test(tc, wrong_names_are_refused);
    suite_add_tcase(suite, tc);
    return suite;
}

int main(void)
{
    return rt_main(program_suite);
}
