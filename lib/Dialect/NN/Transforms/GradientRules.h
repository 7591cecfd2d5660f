// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the gradients of single ops are written with.
#ifndef CIM_LIB_DIALECT_NN_TRANSFORMS_GRADIENTRULES_H
#define CIM_LIB_DIALECT_NN_TRANSFORMS_GRADIENTRULES_H

#include "cim/Dialect/NN/IR/NN.h"
#include "mlir/IR/Builders.h"

namespace cim::nn {

inline llvm::ArrayRef<int64_t> shapeOf(mlir::Value value) {
  return llvm::cast<mlir::RankedTensorType>(value.getType()).getShape();
}

/// How windows move over spatial dimensions; `pads` is what lies in front.
struct Windows {
  llvm::SmallVector<int64_t> extents, kernel, strides, dilations, pads;
};

/// Makes nn ops at one location.
class GradientBuilder {
public:
  explicit GradientBuilder(mlir::OpBuilder builder)
      : builder(builder), loc(builder.getUnknownLoc()) {}

  void setLoc(mlir::Location where) { loc = where; }

  template <typename Op, typename... Args> mlir::Value make(Args &&...args) {
    return Op::create(builder, loc, std::forward<Args>(args)...)
        .getOperation()
        ->getResult(0);
  }

  mlir::Value scalar(float value) { return constant({}, value); }
  mlir::Value constant(llvm::ArrayRef<int64_t> shape,
                       llvm::ArrayRef<float> values,
                       llvm::StringRef name = "gradient");
  /// `value` in every element.
  mlir::Value splat(llvm::ArrayRef<int64_t> shape, float value) {
    return broadcast(scalar(value), shape);
  }
  mlir::Value broadcast(mlir::Value value, llvm::ArrayRef<int64_t> shape);

  mlir::Value compare(Predicate predicate, mlir::Value a, mlir::Value b) {
    return make<CompareOp>(a, b, predicate);
  }
  /// `value` where `mask` holds, else 0.
  mlir::Value keepWhere(mlir::Value mask, mlir::Value value) {
    return make<SelectOp>(mask, value, scalar(0));
  }
  /// Sums along `axes`, which keep the extent 1.
  mlir::Value sum(mlir::Value value, llvm::ArrayRef<int64_t> axes) {
    return make<ReduceOp>(value, Reduction::Sum, axes, /*keep_dims=*/true);
  }
  /// Sums over the elements that one of `shape` was broadcast to.
  mlir::Value sumTo(mlir::Value value, llvm::ArrayRef<int64_t> shape);

  /// A quantised tensor in float.
  mlir::Value real(mlir::Value value);

  mlir::Value reshape(mlir::Value value, llvm::ArrayRef<int64_t> shape);
  mlir::Value pad(mlir::Value value, llvm::ArrayRef<int64_t> begin,
                  llvm::ArrayRef<int64_t> end, float with = 0);
  mlir::Value slice(mlir::Value value, llvm::ArrayRef<int64_t> starts,
                    llvm::ArrayRef<int64_t> sizes,
                    llvm::ArrayRef<int64_t> steps);
  mlir::Value reverse(mlir::Value value, llvm::ArrayRef<int64_t> dims);
  mlir::Value transposeLast(mlir::Value matrices);
  /// Indices of `extent` elements, those out of bounds as the nearest.
  mlir::Value limitIndices(mlir::Value indices, int64_t extent);

  /// Zeros of shape `extents`, and element j of `value` at `starts + j * steps`
  /// (steps above 0) of every dimension; what lies outside is left out.
  mlir::Value place(mlir::Value value, llvm::ArrayRef<int64_t> extents,
                    llvm::ArrayRef<int64_t> starts,
                    llvm::ArrayRef<int64_t> steps);

  /// The N x C x spatial `gradient` of the results of windows, laid out so that
  /// a window of stride 1 over it, its taps in reverse, sees for each element
  /// of the input what has read it, and zeros.
  mlir::Value spread(mlir::Value gradient, const Windows &windows);

private:
  mlir::OpBuilder builder;
  mlir::Location loc;
};

/// Gradients by value, as they come together.
class Gradients : public GradientBuilder {
public:
  using GradientBuilder::GradientBuilder;

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

/// The gradient with respect to the N x C x spatial input of a convolution.
/// `kernels` are those of its input channels, C x F/groups x spatial, last tap
/// first.
mlir::Value createInputGradient(Gradients &gradients, mlir::Value gradient,
                                mlir::Value kernels, const Windows &windows,
                                int64_t groups);

} // namespace cim::nn

#endif // CIM_LIB_DIALECT_NN_TRANSFORMS_GRADIENTRULES_H
