// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See Host.h. Compiled code calls these functions, so nothing may be thrown.

#include "Session/Host.h"
#include "Session/HostMath.h"
#include "Support/Error.h"

using namespace cim::rt;

/// Keeps the calling thread's failure as the host's, unless it has one.
static void note(Host &host, cim_status status, const std::string &text) {
  if (status == CIM_OK || host.status != CIM_OK)
    return;
  host.status = status;
  host.error = text;
}

static void streamLayer(cim_host *self, uint32_t layer, const void *input,
                        void *output) {
  Host &host = *static_cast<Host *>(self);
  if (host.status != CIM_OK)
    return;
  if (!host.device) {
    note(host, CIM_BAD_FILE,
         format("the network streams layer %u but its manifest has none",
                layer));
    return;
  }
  cim_stream stream = {};
  stream.size = sizeof stream;
  stream.layer = layer;
  stream.first_image = host.firstSample;
  stream.image_count = host.manifest->batch;
  stream.input = input;
  stream.output = output;
  cim_status status = host.api->stream(host.device, &stream);
  if (status == CIM_OK)
    status = host.api->wait(host.device);
  if (status != CIM_OK)
    note(host, status, host.api->last_error());
}

static void observeValue(cim_host *self, uint32_t value, const float *data,
                         uint64_t count) {
  Host &host = *static_cast<Host *>(self);
  if (host.status != CIM_OK || !host.options->observe)
    return;
  // Padding samples must not be seen.
  const Manifest &manifest = *host.manifest;
  if (value < manifest.observed.size() &&
      manifest.observed[value].shape[0] == manifest.batch)
    count = count / manifest.batch * host.samples;
  host.options->observe(host.options->observe_user, value, data, count);
}

static void convolve(cim_host *self, const cim_conv2d_shape *shape,
                     const float *input, const float *filter, float *output) {
  Host &host = *static_cast<Host *>(self);
  if (host.status == CIM_OK)
    if (cim_status status = addConv2D(*shape, input, filter, output))
      note(host, status, lastError());
}

static void multiply(cim_host *self, int64_t batch, int64_t m, int64_t n,
                     int64_t k, const float *a, const float *b, float *c) {
  Host &host = *static_cast<Host *>(self);
  if (host.status == CIM_OK)
    if (cim_status status = addMatmul(batch, m, n, k, a, b, c))
      note(host, status, lastError());
}

Host::Host() : cim_host() {
  size = sizeof(cim_host);
  version = CIM_MODEL_VERSION;
  stream = streamLayer;
  observe = observeValue;
  conv2d_f32 = convolve;
  matmul_f32 = multiply;
}
