// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The manifest of a compiled network (docs/Runtime.md, "Manifest"), parsed and
// checked against the data that it names.
#ifndef CIM_RUNTIME_MODEL_MANIFEST_H
#define CIM_RUNTIME_MODEL_MANIFEST_H

#include "cim-c/hal.h"
#include "cim-c/status.h"

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

namespace cim::rt {

struct TensorSpec {
  std::string name;
  cim_type type = CIM_F32;
  std::vector<int64_t> shape; // the first dimension is the batch

  /// Bytes of one sample.
  uint64_t sampleBytes() const;
};

struct ArraySpec {
  uint32_t rows = 0;
  uint32_t columns = 0;
  const int8_t *cells = nullptr;
};

/// A layer and what it points to.
struct LayerSpec {
  cim_layer layer = {};
  std::string name;
  std::vector<cim_block> blocks;
};

struct Manifest {
  std::string model;
  uint32_t batch = 0;
  std::vector<TensorSpec> inputs, outputs;
  /// Tensors that a calibration build shows to the observer.
  std::vector<TensorSpec> observed;
  std::string targetName;
  std::string device; // "device" object of the target, as JSON
  std::vector<ArraySpec> arrays;
  std::deque<LayerSpec> layers;
};

/// Parses `text` into `manifest`, whose tables then point into `data`. Fails,
/// with text, when anything is missing, contradictory or outside `data`.
cim_status parseManifest(const char *text, uint64_t size, const uint8_t *data,
                         uint64_t dataSize, Manifest &manifest);

} // namespace cim::rt

#endif // CIM_RUNTIME_MODEL_MANIFEST_H
