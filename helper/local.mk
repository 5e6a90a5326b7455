# SPDX-License-Identifier: MIT
# The program that tries what could take a process down (op/probe.c).
pkglibexec_PROGRAMS = anser-probe
anser_probe_SOURCES = helper/anser-probe.c helper/trial.c helper/trial.h
anser_probe_LDADD = libanser_core.la
