// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Networks of layers that share one matrix, of any shape.
#ifndef CIM_UNITTESTS_CALIBRATION_CELLSFIXTURE_H
#define CIM_UNITTESTS_CALIBRATION_CELLSFIXTURE_H

#include "WindowSample.h"
#include "cim/Arch/Arch.h"
#include "cim/Dialect/CIM/IR/CIM.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/FormatVariadic.h"
#include <array>
#include <cmath>
#include <gtest/gtest.h>

namespace cim::test {

constexpr int64_t batch = 2;
constexpr double inputUnit = 0.07;

struct Shape {
  std::string name;
  int64_t channels, filters;
  std::array<int64_t, 2> size{1, 1}, kernel{1, 1}, strides{1, 1};
  std::array<int64_t, 2> dilations{1, 1};
  std::array<int64_t, 4> pads{0, 0, 0, 0}; // top, left, bottom, right
  int64_t groups = 1, cells = 1;
  Split split = Split::Radix;
  int64_t rows = 256; // of an array
  std::string rounding = "nearest-even";
  int64_t cellLimit = 1;
  float gain = 0;     // of all blocks; 0: each has its own
  int64_t layers = 1; // of one matrix; the second has longer strides
  bool isTuned = true;
  bool hasFirst = false; // a layer of a matrix of its own before all

  int64_t outSize(int d, int64_t layer) const {
    int64_t reach = dilations[d] * (kernel[d] - 1) + 1;
    return (size[d] + pads[d] + pads[d + 2] - reach) / (strides[d] + layer) + 1;
  }
  int64_t taps() const { return kernel[0] * kernel[1]; }
  int64_t matrixRows() const { return channels * taps(); }
  bool isInGroup(int64_t k, int64_t n) const {
    return k / (matrixRows() / groups) == n / (filters / groups);
  }
  /// The largest weight.
  int64_t levels() const {
    int64_t base =
        split == Split::Magnitude ? cellLimit + 1 : 2 * cellLimit + 1;
    int64_t power = 1;
    for (int64_t i = 0; i < cells; ++i)
      power *= base;
    switch (split) {
    case Split::Residual:
      return 127;
    case Split::Radix:
      return (power - 1) / 2;
    case Split::Magnitude:
      return power - 1;
    default:
      return cells * cellLimit;
    }
  }
};

/// For messages of GoogleTest.
inline void PrintTo(const Shape &shape, std::ostream *os) { *os << shape.name; }

/// Numbers that are the same everywhere.
class Random {
public:
  double uniform(double lo, double hi) {
    double part = double(WindowSample::mix(next++) >> 11) * 0x1p-53;
    return lo + part * (hi - lo);
  }
  int64_t integer(int64_t lo, int64_t hi) {
    return std::min(hi, int64_t(std::floor(uniform(lo, hi + 1))));
  }

private:
  uint64_t next = 0;
};

class CellsFixture : public testing::TestWithParam<Shape> {
protected:
  void SetUp() override;

  void writeTarget();

  std::string mapType(int64_t h, int64_t w, int64_t c,
                      llvm::StringRef element) {
    return llvm::formatv("tensor<{0}x{1}x{2}x{3}x{4}>", batch, h, w, c,
                         element);
  }
  std::string resultType(int64_t layer) {
    return mapType(shape.outSize(0, layer), shape.outSize(1, layer),
                   shape.filters, "f32");
  }
  std::string inputType(llvm::StringRef element) {
    return mapType(shape.size[0], shape.size[1], shape.channels, element);
  }

  /// The matrix of the first layer, or the layer.
  std::string describeFirst(bool matrix);
  std::string describeLayer(int64_t layer);

  void buildModule();

  void runPasses(llvm::function_ref<void(mlir::PassManager &)> build);

  static constexpr char quantized[] = "!quant.uniform<i8<-63:63>:f32, 0.07>";
  std::string target;
  llvm::FileRemover remover;
  const Shape &shape = GetParam();
  Random random;
  std::unique_ptr<mlir::MLIRContext> context;
  std::unique_ptr<cim::Arch> arch;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

} // namespace cim::test

#endif // CIM_UNITTESTS_CALIBRATION_CELLSFIXTURE_H
