// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the gradients of single ops are written with.
#ifndef CIM_LIB_DIALECT_NN_TRANSFORMS_GRADIENTRULES_H
#define CIM_LIB_DIALECT_NN_TRANSFORMS_GRADIENTRULES_H

#include "cim/Dialect/NN/Transforms/TensorBuilder.h"

namespace cim::nn {

/// How windows move over spatial dimensions; `pads` is what lies in front.
struct Windows {
  llvm::SmallVector<int64_t> extents, kernel, strides, dilations, pads;
};

/// Gradients by value, as they come together.
class Gradients : public TensorBuilder {
public:
  using TensorBuilder::TensorBuilder;

  /// Whether `value` depends on what is differentiated by.
  bool isWanted(mlir::Value value) const { return wanted.contains(value); }
  void setWanted(mlir::Value value) { wanted.insert(value); }

  /// Adds what `make` builds to the gradient of `value`, if that is wanted;
  /// summed over the dimensions that `value` was broadcast along.
  void add(mlir::Value value, llvm::function_ref<mlir::Value()> make);
  /// The gradient so far; null when there is none.
  mlir::Value get(mlir::Value value) const { return sums.lookup(value); }

private:
  llvm::DenseSet<mlir::Value> wanted;
  llvm::DenseMap<mlir::Value, mlir::Value> sums;
};

/// What to do with the gradient of the result of an op, by kind of op.
class GradientRules {
public:
  using Rule = std::function<llvm::LogicalResult(mlir::Operation *, mlir::Value,
                                                 Gradients &)>;

  /// `rule(Op, Value, Gradients &)` returns LogicalResult, or nothing when it
  /// always holds.
  template <typename Op, typename OpRule> void add(OpRule rule) {
    rules[mlir::TypeID::get<Op>()] = [rule](mlir::Operation *op,
                                            mlir::Value gradient,
                                            Gradients &gradients) {
      if constexpr (std::is_void_v<std::invoke_result_t<OpRule, Op, mlir::Value,
                                                        Gradients &>>) {
        rule(llvm::cast<Op>(op), gradient, gradients);
        return llvm::success();
      } else {
        return rule(llvm::cast<Op>(op), gradient, gradients);
      }
    };
  }

  /// Null when ops like `op` have no gradient.
  Rule lookup(mlir::Operation *op) const {
    return rules.lookup(op->getName().getTypeID());
  }

private:
  llvm::DenseMap<mlir::TypeID, Rule> rules;
};

void addBinaryRules(GradientRules &rules);
void addUnaryRules(GradientRules &rules);
void addMovementRules(GradientRules &rules);
void addReductionRules(GradientRules &rules);
void addPoolingRules(GradientRules &rules);
void addProductRules(GradientRules &rules);
void addMvmRules(GradientRules &rules);

/// The N x C x spatial `gradient` of the results of windows, laid out so that a
/// window of stride 1 over it, its taps in reverse, sees for each element of
/// the input what has read it, and zeros.
mlir::Value spread(TensorBuilder &b, mlir::Value gradient,
                   const Windows &windows);

/// The gradient with respect to the N x C x spatial input of a convolution.
/// `kernels` are those of its input channels, C x F/groups x spatial, last tap
/// first.
mlir::Value createInputGradient(Gradients &gradients, mlir::Value gradient,
                                mlir::Value kernels, const Windows &windows,
                                int64_t groups);

} // namespace cim::nn

#endif // CIM_LIB_DIALECT_NN_TRANSFORMS_GRADIENTRULES_H
