// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Layers to try a device with, the arrays that hold them, and what they compute
// (docs/Numerics.md, sections 2 to 4, written for one output at a time).
#ifndef CIM_DEVICECHECK_TESTLAYER_H
#define CIM_DEVICECHECK_TESTLAYER_H

#include "cim-c/hal.h"

#include <memory>
#include <random>
#include <string>
#include <vector>

namespace cim::test {

struct ArrayImage {
  uint32_t rows, columns;
  std::vector<int8_t> cells;
};

/// A layer, the arrays it is placed on, and input images.
struct TestLayer {
  cim_layer layer = {};
  std::vector<cim_block> blocks;
  std::vector<float> significance, scale, bias;
  std::vector<ArrayImage> arrays;
  uint32_t images = 0;
  std::vector<int8_t> input; // of either sign, see layer.in_type

  /// Points the layer at the vectors; call after changing them.
  void finish();
  uint64_t outputBytes() const;
};

/// What a random layer may look like.
struct LayerLimits {
  uint32_t channels = 40;
  uint32_t columns = 70;
  uint32_t size = 9; // of the input map
};

std::unique_ptr<TestLayer> randomLayer(std::mt19937 &random,
                                       const LayerLimits &limits = {});

/// A K x N matrix product with ternary weights in one block; `images` vectors.
std::unique_ptr<TestLayer> matrixLayer(std::mt19937 &random, uint32_t k,
                                       uint32_t n, uint32_t images);

/// One line that tells layers apart, for messages.
std::string describe(const TestLayer &test);

/// docs/Numerics.md, sections 3 and 4, in modes `ideal` and `exact`.
std::vector<uint8_t> expectedOutput(const TestLayer &test, bool ideal);

} // namespace cim::test

#endif // CIM_DEVICECHECK_TESTLAYER_H
