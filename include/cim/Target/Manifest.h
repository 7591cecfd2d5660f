// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a compiled network says about itself.
#ifndef CIM_TARGET_MANIFEST_H
#define CIM_TARGET_MANIFEST_H

#include "cim/Target/Emit.h"
#include "llvm/Support/JSON.h"
#include <vector>

namespace cim {

struct Manifest {
  /// docs/Runtime.md, "Manifest".
  std::string json;
  /// Cell images and float tables, each at a multiple of 64 bytes; `json` says
  /// where.
  std::vector<char> data;
};

/// Describes a program; errors are diagnostics.
llvm::FailureOr<Manifest> buildManifest(mlir::ModuleOp program,
                                        const EmitOptions &options);

/// Facts about the use of arrays, for the manifest and for reports:
/// - `arrays`: number of arrays;
/// - `cells_used`: cells that hold a part of a weight, zeros included;
/// - `cell_utilisation`: `cells_used` by all cells of these arrays;
/// - `mvms_per_image`: activations of one array for one image. Blocks of a
///   layer that lie in the same rows of the same array and read the same matrix
///   rows share an activation.
llvm::json::Object buildStatistics(mlir::ModuleOp program,
                                   const std::optional<Arch> &arch);

} // namespace cim

#endif // CIM_TARGET_MANIFEST_H
