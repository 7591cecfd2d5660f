// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Cells become integers one after another, while the others make up for it.
#ifndef CIM_LIB_CALIBRATION_CELLROUNDING_H
#define CIM_LIB_CALIBRATION_CELLROUNDING_H

#include "TuningProgram.h"

namespace cim {

/// Which cells of a network stay integers already.
class CellRounding {
public:
  explicit CellRounding(const TunedNetwork &network)
      : network(network), tables(network.countTables()),
        isRound(network.countCells()) {}

  /// Rounds, of every matrix, the cells next to an integer, as many as `done`
  /// (0 to 1), the part of the schedule behind us, asks for.
  void round(double done, llvm::MutableArrayRef<double> parameters);

  /// Takes back what a step did to rounded cells, and keeps the others within
  /// their limits.
  void settle(llvm::MutableArrayRef<double> parameters) const;

private:
  const TunedNetwork &network;
  int64_t tables; // parameters before the cells
  std::vector<char> isRound;
};

} // namespace cim

#endif // CIM_LIB_CALIBRATION_CELLROUNDING_H
