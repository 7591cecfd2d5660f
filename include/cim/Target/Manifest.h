// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a compiled network says about itself.
#ifndef CIM_TARGET_MANIFEST_H
#define CIM_TARGET_MANIFEST_H

#include "cim/Target/Emit.h"
#include <string>
#include <vector>

namespace cim {

struct Manifest {
  /// docs/Runtime.md, "Manifest". Its "statistics" are those of
  /// computeMappingStatistics: `arrays`, `cells_used`, `cell_utilisation` of
  /// the arrays in use, `mvms_per_image`.
  std::string json;
  /// Cell images and float tables, each at a multiple of 64 bytes; `json` says
  /// where.
  std::vector<char> data;
};

/// Describes a program; errors are diagnostics.
llvm::FailureOr<Manifest> buildManifest(mlir::ModuleOp program,
                                        const EmitOptions &options);

} // namespace cim

#endif // CIM_TARGET_MANIFEST_H
