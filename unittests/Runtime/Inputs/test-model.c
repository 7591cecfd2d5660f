/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A compiled network written by hand: one 3x3 convolution of i8 [2,4,4,3] to
 * f32 [2,4,4,5]. Built several times; each macro below makes one thing wrong.
 */
#include "cim-c/model.h"

#include <stdio.h>
#include <string.h>

enum { ROWS = 27, COLUMNS = 5, DATA_SIZE = 448 };

static _Alignas(64) uint8_t data[DATA_SIZE];
static char manifest[4096];

static uint32_t checksum(const uint8_t *bytes, size_t count) {
  uint32_t crc = ~0u;
  for (size_t i = 0; i < count; ++i) {
    crc ^= bytes[i];
    for (int bit = 0; bit < 8; ++bit)
      crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
  }
  return ~crc;
}

static void run(cim_host *host, const void *const *inputs,
                void *const *outputs) {
#ifdef HOST_ONLY
  /* y[2] = x[2][2 x 3] times a 3 x 1 matrix of ones, on the host. */
  static const float ones[3] = {1, 1, 1};
  memset(outputs[0], 0, 4 * sizeof(float));
  host->matmul_f32(host, 1, 4, 1, 3, inputs[0], ones, outputs[0]);
#else
  host->stream(host, 0, inputs[0], outputs[0]);
#endif
  host->observe(host, 0, outputs[0], 2 * 4 * 4 * 5);
}

__attribute__((visibility("default"))) cim_model_image cim_model_v1 = {
#ifdef BAD_MAGIC
    0x12345678,
#else
    CIM_MODEL_MAGIC,
#endif
#ifdef BAD_VERSION
    CIM_MODEL_VERSION + 1,
#else
    CIM_MODEL_VERSION,
#endif
    sizeof(cim_model_image),
    0,
    manifest,
    0,
    data,
    DATA_SIZE,
    (const uint8_t *)"program",
    7,
    run,
};

__attribute__((constructor)) static void build(void) {
  for (int i = 0; i < ROWS * COLUMNS; ++i)
    data[i] = (uint8_t)((i * 7 + i / 3) % 3 - 1);
  float gain = 0.25f;
  memcpy(data + 192, &gain, 4);
  for (int n = 0; n < COLUMNS; ++n) {
    float one = 1, scale = 0.5f, bias = (float)n;
    memcpy(data + 256 + 4 * n, &one, 4);
    memcpy(data + 320 + 4 * n, &scale, 4);
    memcpy(data + 384 + 4 * n, &bias, 4);
  }
  uint32_t crc = checksum(data, DATA_SIZE);
#ifdef BAD_CRC
  crc ^= 1;
#endif
  snprintf(
      manifest, sizeof manifest,
      "{\"format\":\"cim-manifest\",\"version\":1,\"compiler\":\"test\","
      "\"model\":\"test\",\"batch\":2,"
      "\"target\":{\"name\":\"t\",\"device\":{\"noise\":{\"read\":0.05,"
      "\"static\":0.05,\"adc_offset\":0.3,\"adc_gain\":0.02,\"adc_noise\":0.2"
      "}}},"
#ifdef HOST_ONLY
      "\"inputs\":[{\"name\":\"x\",\"type\":\"f32\",\"shape\":[2,2,3]}],"
      "\"outputs\":[{\"name\":\"y\",\"type\":\"f32\",\"shape\":[2,2,1]}],"
      "\"observed\":[{\"name\":\"y\",\"shape\":[2,2,1]}],"
      "\"data_crc32\":%u,\"arrays\":[],\"layers\":[]}",
      crc
#else
      "\"inputs\":[{\"name\":\"x\",\"type\":\"i8\",\"shape\":[2,4,4,3]}],"
      "\"outputs\":[{\"name\":\"y\",\"type\":\"f32\",\"shape\":[2,4,4,5]}],"
      "\"observed\":[{\"name\":\"y\",\"shape\":[2,4,4,5]}],"
      "\"data_crc32\":%u,"
      "\"arrays\":[{\"rows\":27,\"columns\":5,\"cells\":{\"offset\":0,"
      "\"size\":135}}],"
      "\"layers\":[{\"id\":0,\"name\":\"conv\",\"in\":[4,4,3],\"out\":[4,4,5],"
      "\"kernel\":[3,3],\"stride\":[1,1],\"dilation\":[1,1],\"pad\":[1,1],"
      "\"groups\":1,\"in_type\":\"i8\",\"planes\":1,"
      "\"blocks\":[[0,0,0,0,0,27,0,5,1]],"
      "\"gains\":{\"offset\":192,\"size\":4},"
      "\"significance\":{\"offset\":256,\"size\":20},"
      "\"scale\":{\"offset\":320,\"size\":20},"
      "\"bias\":{\"offset\":384,\"size\":20},"
      "\"adc\":{\"lo\":-32,\"hi\":31,\"rounding\":\"nearest-even\"},"
      "\"lo\":0,\"hi\":null,\"out_type\":\"f32\","
      "\"out_rounding\":\"nearest-even\"}]}",
      crc
#endif
  );
  cim_model_v1.manifest_size = strlen(manifest);
#ifdef BAD_POINTER
  cim_model_v1.data_size = (uint64_t)1 << 40;
#endif
}
