// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From nn, or from a placed program, to the LLVM dialect.
#ifndef CIM_PIPELINES_HOSTPIPELINE_H
#define CIM_PIPELINES_HOSTPIPELINE_H

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassOptions.h"

namespace cim {

struct HostOptions : mlir::PassPipelineOptions<HostOptions> {
  Option<bool> fuse{*this, "fuse", llvm::cl::init(true),
                    llvm::cl::desc("Fuse element-wise operators into one loop; "
                                   "without, every operator has its own")};
};

/// Lowers a module whose `@main` consists of nn ops and `cim.stream`s (with the
/// `cim.array`s and `cim.layer`s they refer to) to the LLVM dialect:
/// `@main(%host: !llvm.ptr, inputs.., outputs..)` with bare pointers
/// (docs/Architecture.md).
void buildHostPipeline(mlir::OpPassManager &pm, const HostOptions &options);

/// Makes the pipeline known to cim-opt as `cim-host-pipeline`.
void registerHostPipeline();

} // namespace cim

#endif // CIM_PIPELINES_HOSTPIPELINE_H
