/* SPDX-License-Identifier: MIT */
/* A token by cl/nv_token.cl, for its trial. */
#ifndef ANSER_OP_NV_TOKEN_H
#define ANSER_OP_NV_TOKEN_H

#include "op/nv_phase.h"
#include "op/token_kind.h"

/* A token without any trial; `made` is the caller's. */
enum anser_status anser_nv_token_make(anser_device *device,
                                      struct anser_nv *nv,
                                      const struct anser_token_parts *parts,
                                      struct anser_token *made);

#endif
