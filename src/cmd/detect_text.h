/* What `vedette detect` prints of an analysis. */
#ifndef VD_CMD_DETECT_TEXT_H
#define VD_CMD_DETECT_TEXT_H

#include <jansson.h>
#include <stdio.h>

#include "batch/analyse.h"

/* The lines that scripts know of old, then ours. */
void detect_text_print(const struct batch_analysis *analysis, FILE *out);

/* All of it as one object. */
json_t *detect_text_json(const struct batch_analysis *analysis);

#endif
