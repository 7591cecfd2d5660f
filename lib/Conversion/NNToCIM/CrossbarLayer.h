// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A crossbar op with everything that cim.matrix and cim.mvm need.
#ifndef CIM_LIB_CONVERSION_NNTOCIM_CROSSBARLAYER_H
#define CIM_LIB_CONVERSION_NNTOCIM_CROSSBARLAYER_H

#include "cim/Arch/Arch.h"
#include "cim/Interfaces/CrossbarOpInterface.h"
#include <vector>

namespace cim {

struct CrossbarLayer {
  WindowGeometry geometry;
  /// Feature maps have their channels in dimension 1, else they are last.
  bool channelsFirst = false;
  /// K x N, rows in the order of docs/Numerics.md section 2.
  std::vector<int8_t> matrix;
  int64_t levels = 0;
  /// Input scale times weight scale, and bias, of every output channel.
  std::vector<double> scale, bias;

  /// Why `op` cannot run on arrays of `arch` goes to `reason` on failure.
  /// `batch` is the number of samples per call, 0 when unknown.
  static llvm::FailureOr<CrossbarLayer> analyse(CrossbarOpInterface op,
                                                const Arch &arch, int64_t batch,
                                                std::string &reason);
};

} // namespace cim

#endif // CIM_LIB_CONVERSION_NNTOCIM_CROSSBARLAYER_H
