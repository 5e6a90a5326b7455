# SPDX-License-Identifier: MIT
# Macros of our own for configure.ac.

# ANSER_WARNING(FLAG): adds FLAG to WARN_CFLAGS if the compiler takes it
# without a word.  clang only warns about unknown warnings, hence -Werror.
AC_DEFUN([ANSER_WARNING], [
    AS_VAR_PUSHDEF([anser_flag], [anser_cv_cflag_$1])
    AC_CACHE_CHECK([whether $CC takes $1], [anser_flag], [
        anser_saved_CFLAGS=$CFLAGS
        CFLAGS="$CFLAGS -Werror $1"
        AC_COMPILE_IFELSE([AC_LANG_SOURCE([[int anser_probe;]])],
            [AS_VAR_SET([anser_flag], [yes])],
            [AS_VAR_SET([anser_flag], [no])])
        CFLAGS=$anser_saved_CFLAGS
    ])
    AS_VAR_IF([anser_flag], [yes], [WARN_CFLAGS="$WARN_CFLAGS $1"])
    AS_VAR_POPDEF([anser_flag])
])

# ANSER_WARNINGS(FLAGS): each of a list, one by one.
AC_DEFUN([ANSER_WARNINGS], [
    m4_foreach_w([anser_each], [$1], [ANSER_WARNING(anser_each)])
])

# ANSER_OPENCL: sets OPENCL_CFLAGS and OPENCL_LIBS for headers and an ICD
# loader (or Apple's framework), and for anser.pc either OPENCL_REQUIRES (a
# pkg-config name) or OPENCL_PC_LIBS.  Stops configure where there is none.
AC_DEFUN([ANSER_OPENCL], [
    AC_ARG_WITH([opencl],
        [AS_HELP_STRING([--with-opencl=PREFIX],
            [OpenCL headers in PREFIX/include, the loader in PREFIX/lib])],
        [], [with_opencl=search])
    OPENCL_CFLAGS= OPENCL_LIBS= OPENCL_REQUIRES= OPENCL_PC_LIBS= opencl_from=
    AS_CASE([$with_opencl],
        [no], [AC_MSG_ERROR([Anser is made of OpenCL: --without-opencl makes no sense])],
        [search|yes], [],
        [OPENCL_CFLAGS="-I$with_opencl/include"
         OPENCL_LIBS="-L$with_opencl/lib -lOpenCL"
         OPENCL_PC_LIBS=$OPENCL_LIBS
         opencl_from="$with_opencl"])
    AS_IF([test -z "$opencl_from"], [AS_CASE([$host_os], [darwin*],
        [OPENCL_LIBS="-framework OpenCL"
         OPENCL_PC_LIBS=$OPENCL_LIBS
         opencl_from="the macOS framework"])])
    AS_IF([test -z "$opencl_from"],
        [PKG_CHECK_MODULES([OPENCL], [OpenCL],
            [OPENCL_REQUIRES=OpenCL
             opencl_from="pkg-config OpenCL"],
            [OPENCL_LIBS="-lOpenCL"
             OPENCL_PC_LIBS=$OPENCL_LIBS
             opencl_from="the compiler's own paths"])])

    anser_saved_CPPFLAGS=$CPPFLAGS anser_saved_LIBS=$LIBS
    CPPFLAGS="$CPPFLAGS $OPENCL_CFLAGS -DCL_TARGET_OPENCL_VERSION=120 -DCL_SILENCE_DEPRECATION"
    LIBS="$OPENCL_LIBS $LIBS"
    AC_CHECK_HEADERS([CL/cl.h OpenCL/cl.h], [break])
    AS_IF([test "$ac_cv_header_CL_cl_h$ac_cv_header_OpenCL_cl_h" = nono || \
           test "$ac_cv_header_CL_cl_h" = no -a -z "$ac_cv_header_OpenCL_cl_h"],
        [AC_MSG_ERROR([no OpenCL headers (CL/cl.h).
  Debian, Ubuntu: apt-get install ocl-icd-opencl-dev
  elsewhere: --with-opencl=PREFIX])])
    AC_CACHE_CHECK([for OpenCL 1.2 (clEnqueueFillBuffer)], [anser_cv_opencl12],
        [AC_LINK_IFELSE([AC_LANG_PROGRAM([[
#ifdef HAVE_CL_CL_H
#include <CL/cl.h>
#else
#include <OpenCL/cl.h>
#endif
]], [[cl_uint zero = 0;
      return clEnqueueFillBuffer(0, 0, &zero, sizeof zero, 0, 0, 0, 0, 0);]])],
            [anser_cv_opencl12=yes], [anser_cv_opencl12=no])])
    AS_IF([test "$anser_cv_opencl12" = no],
        [AC_MSG_ERROR([no OpenCL loader of version 1.2 or newer (libOpenCL with clEnqueueFillBuffer).
  Debian, Ubuntu: apt-get install ocl-icd-opencl-dev
  elsewhere: --with-opencl=PREFIX])])
    CPPFLAGS=$anser_saved_CPPFLAGS LIBS=$anser_saved_LIBS
    AC_SUBST([OPENCL_CFLAGS])
    AC_SUBST([OPENCL_LIBS])
    AC_SUBST([OPENCL_REQUIRES])
    AC_SUBST([OPENCL_PC_LIBS])
])

# ANSER_CL_LINT: CL_LINT is a clang that checks OpenCL C 1.2, or empty.
AC_DEFUN([ANSER_CL_LINT], [
    AC_CHECK_PROGS([CLANG], [clang clang-20 clang-19 clang-18 clang-17 clang-16 clang-15 clang-14])
    CL_LINT=
    AS_IF([test -n "$CLANG"], [
        AC_MSG_CHECKING([whether $CLANG knows OpenCL C 1.2])
        AS_ECHO(["kernel void k(global uint *x) { x[[get_global_id(0)]] = 1; }"]) >conftest.cl
        AS_IF([$CLANG -x cl -cl-std=CL1.2 -Xclang -finclude-default-header -fsyntax-only conftest.cl >/dev/null 2>&1],
            [CL_LINT=$CLANG
             AC_MSG_RESULT([yes])],
            [AC_MSG_RESULT([no])])
        rm -f conftest.cl])
    AC_SUBST([CL_LINT])
])
