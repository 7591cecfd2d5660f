// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What makes a cim_layer well formed. The loader asks before it trusts a
// manifest, the simulator before it trusts its caller.
#ifndef CIM_RUNTIME_SUPPORT_LAYERCHECK_H
#define CIM_RUNTIME_SUPPORT_LAYERCHECK_H

#include "cim-c/hal.h"

#include <string>
#include <vector>

namespace cim::rt {

struct ArrayShape {
  uint32_t rows = 0;
  uint32_t columns = 0;
};

/// Number of members of cim_type.
constexpr int typeCount = CIM_U64 + 1;
/// Bytes of one element.
uint32_t byteSize(cim_type type);
/// "f32", "i8", ...
const char *typeName(cim_type type);

/// Rows of a layer's matrix.
inline uint64_t matrixRows(const cim_layer &layer) {
  return uint64_t(layer.kernel_h) * layer.kernel_w * layer.in_c;
}

/// Returns what is wrong with `layer` on a device with these arrays, or an
/// empty string. Reads every table that the layer points to.
std::string checkLayer(const cim_layer &layer,
                       const std::vector<ArrayShape> &arrays);

} // namespace cim::rt

#endif // CIM_RUNTIME_SUPPORT_LAYERCHECK_H
