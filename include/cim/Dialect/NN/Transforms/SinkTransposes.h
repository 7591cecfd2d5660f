// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Patterns of nn-sink-transposes for passes that need a part of it.
#ifndef CIM_DIALECT_NN_TRANSFORMS_SINKTRANSPOSES_H
#define CIM_DIALECT_NN_TRANSFORMS_SINKTRANSPOSES_H

#include "mlir/IR/PatternMatch.h"

namespace cim::nn {

/// `nn.transpose` and `nn.reshape` move below element-wise ops with one
/// operand, quantisation included.
void populateSinkBelowUnaryPatterns(mlir::RewritePatternSet &patterns);

/// `nn.transpose` moves below everything that can be computed in another
/// layout.
void populateSinkTransposesPatterns(mlir::RewritePatternSet &patterns);

/// `nn.transpose` moves below an `nn.reshape` that splits dimensions, or joins
/// such as lie side by side in front of it, too, and below `nn.broadcast`.
void populateSinkThroughReshapesPatterns(mlir::RewritePatternSet &patterns);

/// An `nn.transpose` behind dimensions that were joined from transposed ones
/// moves up there.
void populateRaiseAboveJoinPatterns(mlir::RewritePatternSet &patterns);

} // namespace cim::nn

#endif // CIM_DIALECT_NN_TRANSFORMS_SINKTRANSPOSES_H
