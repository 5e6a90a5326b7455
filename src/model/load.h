/* SPDX-License-Identifier: MIT */
/* Opening and closing a model; anser.h tells what each does. */
#ifndef ANSER_MODEL_LOAD_H
#define ANSER_MODEL_LOAD_H

#include "model/model.h"

enum anser_status anser_model_load(anser_device *device,
                                   const anser_file *file,
                                   const struct anser_model_options *options,
                                   anser_model **model);
void anser_model_unload(anser_model *model);

#endif
