/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Says what an image of clothing shows: a 28 x 28 binary PGM goes in, the class
 * and its score come out, computed on a simulated chip. */
#include "cim-c/runtime.h"
#include <stdio.h>
#include <stdlib.h>

enum { SIDE = 28, PIXELS = SIDE * SIDE, CLASSES = 10 };

static const char *const names[CLASSES] = {
    "t-shirt", "trouser", "pullover", "dress", "coat",
    "sandal",  "shirt",   "sneaker",  "bag",   "ankle boot"};

static void check(cim_status status) {
  if (status == CIM_OK)
    return;
  fprintf(stderr, "classify: error: %s\n", cim_last_error());
  exit(1);
}

/* Reads a binary PGM into values from 0 to 1, as the network was trained. */
static void readImage(const char *path, float image[PIXELS]) {
  unsigned char pixels[PIXELS];
  int width = 0, height = 0, maximum = 0;
  FILE *file = fopen(path, "rb");
  if (!file) {
    perror(path);
    exit(1);
  }
  if (fscanf(file, "P5 %d %d %d", &width, &height, &maximum) != 3 ||
      width != SIDE || height != SIDE || maximum != 255 || fgetc(file) == EOF ||
      fread(pixels, 1, PIXELS, file) != PIXELS) {
    fprintf(stderr, "classify: error: %s: expected a binary PGM of %d x %d\n",
            path, SIDE, SIDE);
    exit(1);
  }
  fclose(file);
  for (int i = 0; i < PIXELS; ++i)
    image[i] = pixels[i] / 255.0f;
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: classify IMAGE.pgm\n");
    return 2;
  }
  float image[PIXELS], scores[CLASSES];
  readImage(argv[1], image);

  cim_model *model;
  check(cim_model_open(CIM_MODEL_fashion, &model));
  cim_session_options options = {sizeof options, "analog", 0,   0, 1,
                                 NULL,           NULL,     NULL};
  cim_session *session;
  check(cim_session_create(model, &options, &session));
  const void *inputs[] = {image};
  void *outputs[] = {scores};
  check(cim_session_run(session, 0, 1, inputs, outputs));
  cim_session_destroy(session);
  cim_model_close(model);

  int best = 0;
  for (int i = 1; i < CLASSES; ++i)
    if (scores[i] > scores[best])
      best = i;
  printf("%s (score %.2f)\n", names[best], scores[best]);
  return 0;
}
