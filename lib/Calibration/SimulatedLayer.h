// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A layer on simulated chips: its sums, and what its converters see.
#ifndef CIM_LIB_CALIBRATION_SIMULATEDLAYER_H
#define CIM_LIB_CALIBRATION_SIMULATEDLAYER_H

#include "GainSearch.h"
#include "cim-c/hal.h"
#include "llvm/ADT/ArrayRef.h"
#include <map>
#include <string>
#include <vector>

namespace cim {

/// Takes down what the calibrating device says of its last error on this
/// thread.
cim_status fail(cim_status status, std::string text);
const char *getLastError();

/// What an array was programmed with.
struct ArrayImage {
  uint32_t rows = 0, columns = 0;
  std::vector<int8_t> cells;
};

/// A simulated chip without converters, and one with them.
struct Chips {
  const cim_device_api &simulator;
  cim_device *ideal = nullptr, *exact = nullptr;
  std::map<uint32_t, ArrayImage> arrays = {};

  Chips();
  Chips(const Chips &) = delete;
  ~Chips();

  cim_status create(cim_device_config config);
  cim_status program(uint32_t array, uint32_t rows, uint32_t columns,
                     const int8_t *cells);
};

/// What becomes of S: y = S * scales + biases, by column.
struct Epilogue {
  llvm::ArrayRef<double> scales, biases;
  /// What counts of y are the probabilities softmax(y) of the columns.
  bool makesLogits = false;
};

/// `layer`, on the images of `stream`.
class SimulatedLayer {
public:
  SimulatedLayer(const cim_layer &layer, const cim_stream &stream, Chips &chips)
      : layer(layer), stream(stream), chips(&chips),
        significance(layer.significance),
        inputSize(uint64_t(layer.in_h) * layer.in_w * layer.in_c),
        windows(uint64_t(layer.out_h) * layer.out_w), ones(layer.out_c, 1.0f),
        zeros(layer.out_c, 0.0f) {}

  /// Other chips have its cells, whose planes and columns count
  /// `significance`; both must live on.
  void moveTo(Chips &chips, llvm::ArrayRef<float> significance);

  /// S of every window behind converters with `gains` of planes; `sums` grows
  /// when it is too small.
  cim_status computeSums(llvm::ArrayRef<float> gains, std::vector<float> &sums);

  /// Adds what the converters of every plane see on some of the images.
  cim_status observePlanes(GainMethod method, const Epilogue &epilogue,
                           std::vector<PlaneSums> &planes);

private:
  /// Blocks of one plane that share no column.
  struct Bundle {
    std::vector<cim_block> blocks;
    std::vector<bool> covered;
  };

  std::vector<Bundle> bundleBlocks(uint32_t plane) const;
  std::vector<double> weighColumns(uint32_t plane,
                                   llvm::ArrayRef<double> scales) const;
  void addPowers(uint32_t plane, llvm::ArrayRef<double> powers,
                 llvm::ArrayRef<double> weights, PlaneSums &sums) const;
  std::vector<char> sampleImages() const;
  cim_status weighLogits(llvm::ArrayRef<char> sample, const Epilogue &epilogue,
                         std::vector<float> &importance) const;
  void count(llvm::ArrayRef<float> values, const std::vector<bool> &covered,
             llvm::ArrayRef<double> weights, llvm::ArrayRef<float> importance,
             PlaneSums &sums) const;
  cim_status streamThrough(cim_device *chip, llvm::ArrayRef<cim_block> blocks,
                           const float *significance, uint32_t planes,
                           const void *input, uint64_t images,
                           std::vector<float> &sums) const;

  const cim_layer &layer;
  const cim_stream &stream;
  Chips *chips;
  const float *significance;
  uint64_t inputSize, windows;
  std::vector<float> ones, zeros;
};

} // namespace cim

#endif // CIM_LIB_CALIBRATION_SIMULATEDLAYER_H
