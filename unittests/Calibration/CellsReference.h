// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Losses of layers with real cells and their gradients, after
// docs/Numerics.md, one product after the other.
#ifndef CIM_UNITTESTS_CALIBRATION_CELLSREFERENCE_H
#define CIM_UNITTESTS_CALIBRATION_CELLSREFERENCE_H

#include "CellsFixture.h"
#include "TuningProgram.h"

namespace cim::test {

/// What layers read and should make of it, NHWC, and parameters of their
/// tables.
struct CellsData {
  std::vector<int64_t> input;
  std::array<std::vector<float>, 2> targets; // by layer
  std::vector<double> tables;
};

struct Outcome {
  double loss = 0;                   // of all samples together
  std::vector<double> tables, cells; // gradients
};

class CellsReference {
public:
  CellsReference(const Shape &shape, const TunedNetwork &network,
                 const CellsData &data, llvm::ArrayRef<double> cells);

  /// Rounding counts as the identity.
  Outcome compute();

private:
  std::vector<int64_t> findPlaces() const;
  /// What row k of a window reads; 0 outside.
  int64_t read(int64_t layer, int64_t sample, int64_t y, int64_t x,
               int64_t k) const;
  void addWindow(int64_t layer, llvm::ArrayRef<int64_t> window,
                 llvm::ArrayRef<float> wanted);
  /// The sum of column n as converters see it, and to `slopes` its derivatives
  /// by planes x rows.
  double convert(llvm::ArrayRef<int64_t> window, int64_t n,
                 std::vector<double> &slopes) const;
  size_t at(int64_t plane, int64_t k, int64_t n) const {
    return (plane * shape.matrixRows() + k) * shape.filters + n;
  }

  const Shape &shape;
  const TunedNetwork &network;
  const TunedMatrix &tuned;
  const CellsData &data;
  std::vector<double> matrix, gradient; // planes x K x N
  Outcome outcome;
};

} // namespace cim::test

#endif // CIM_UNITTESTS_CALIBRATION_CELLSREFERENCE_H
