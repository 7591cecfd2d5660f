// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a handler sees of the node it translates: operands, attributes,
// results. Errors stick: after the first, every getter returns a default and
// nothing more is reported, so handlers check once.
#ifndef CIM_LIB_FRONTEND_ONNX_NODEBINDER_H
#define CIM_LIB_FRONTEND_ONNX_NODEBINDER_H

#include "HandlerTable.h"
#include "HostTensor.h"
#include "ImportState.h"
#include "cim/Dialect/NN/IR/NN.h"

namespace cim::onnx {

class NodeBinder {
public:
  NodeBinder(ImportState &state, const Node &node);

  /// Version of the operator set that the node's operator belongs to.
  int64_t opset() const { return version; }
  /// How messages call the node, with the nodes it lies within.
  const std::string &label() const { return fullName; }
  mlir::Location loc() const { return location; }
  mlir::MLIRContext *context() const { return state.builder.getContext(); }
  ImportState &importState() const { return state; }

  //===--------------------------------------------------------------------===//
  // Errors
  //===--------------------------------------------------------------------===//

  /// An error at the node; silent after the first.
  mlir::InFlightDiagnostic error();
  bool failed() const { return broken; }
  /// Fails without an error of its own: a node within has had one.
  void giveUp() { broken = true; }
  /// Refuses to import `nodes` nodes in the place of this one when loops and
  /// functions grow beyond bounds.
  llvm::LogicalResult checkUnrolling(size_t nodes);

  //===--------------------------------------------------------------------===//
  // Attributes: value, or the default that ONNX gives
  //===--------------------------------------------------------------------===//

  int64_t getInt(llvm::StringRef name, int64_t byDefault);
  bool getBool(llvm::StringRef name, bool byDefault) {
    return getInt(name, byDefault) != 0;
  }
  float getFloat(llvm::StringRef name, float byDefault);
  llvm::StringRef getString(llvm::StringRef name, llvm::StringRef byDefault);
  std::optional<llvm::SmallVector<int64_t>> getInts(llvm::StringRef name);
  std::optional<llvm::SmallVector<float>> getFloats(llvm::StringRef name);
  std::optional<llvm::SmallVector<llvm::StringRef>>
  getStrings(llvm::StringRef name);
  /// The attribute if present, counted as read; handlers of `Constant`.
  const Attribute *getAttribute(llvm::StringRef name);
  /// The graph in an attribute; null on error, also when there is none.
  const Graph *getGraph(llvm::StringRef name);
  /// Marks attributes without meaning for inference as read.
  void ignore(std::initializer_list<llvm::StringRef> names);
  /// Warns of attributes that no getter has asked for.
  void warnOfUnreadAttributes();

  //===--------------------------------------------------------------------===//
  // Operands
  //===--------------------------------------------------------------------===//

  size_t numInputs() const { return node.inputs.size(); }
  /// True when the optional operand is there.
  bool hasInput(size_t index) const;
  /// The operand as SSA value, constants emitted; null on error. Quantised
  /// values with several scales, which no op moves, are the integers that store
  /// them.
  mlir::Value input(size_t index);
  /// The same, but for such values; for operators that read scales.
  mlir::Value quantizedInput(size_t index);
  /// The operand, quantised values as the integers that store them; null on
  /// error.
  mlir::Value plainInput(size_t index);
  /// The operand, of float elements; null on error.
  mlir::Value floatInput(size_t index);
  /// The operand, of float or integer elements; null on error.
  mlir::Value numberInput(size_t index);
  /// The operand, of integer elements; null on error.
  mlir::Value integerInput(size_t index);
  /// The operand, of truth values; null on error.
  mlir::Value boolInput(size_t index);
  /// The operand, of float or quantised elements; null on error.
  mlir::Value realInput(size_t index);
  /// The operand, of float, integer or quantised elements; null on error.
  mlir::Value orderedInput(size_t index);
  /// Null, without an error, when the operand is left out.
  mlir::Value optionalFloatInput(size_t index) {
    return hasInput(index) ? floatInput(index) : mlir::Value();
  }
  /// The operand as the importer knows it; null on error.
  ImportedValue *imported(size_t index);
  /// The SSA value of an imported one, constants emitted; null on error.
  mlir::Value emit(ImportedValue &value);
  /// The operand's constant, or null when it is computed at run time.
  HostTensor host(size_t index);
  /// To be asked before a constant of `shape` is computed: refuses negative
  /// extents, and more than all such constants may take together.
  llvm::LogicalResult reserve(llvm::ArrayRef<int64_t> shape,
                              int64_t bytesPerElement = sizeof(int64_t));
  /// Refuses shapes with negative extents and such that no memory holds.
  llvm::LogicalResult checkShape(llvm::ArrayRef<int64_t> shape);
  /// An operand that must be a constant of integers; `what` names it.
  llvm::SmallVector<int64_t> constantInts(size_t index, llvm::StringRef what);
  /// An operand that must be one constant number.
  double constantNumber(size_t index, llvm::StringRef what);
  /// An operand that must be one constant integer.
  int64_t constantInt(size_t index, llvm::StringRef what);
  /// True for values that are the same in every run: constant folding will
  /// make constants of them.
  bool isConstant(mlir::Value value) const {
    return value && state.isConstant(value);
  }
  /// Shape of an operand.
  llvm::SmallVector<int64_t> shape(size_t index);
  /// `axis` counted from the front; an error when it is outside of `rank`.
  int64_t normalizeAxis(int64_t axis, int64_t rank);
  /// The same for a list; an error also when axes repeat.
  llvm::SmallVector<int64_t> normalizeAxes(llvm::ArrayRef<int64_t> axes,
                                           int64_t rank);

  //===--------------------------------------------------------------------===//
  // Results
  //===--------------------------------------------------------------------===//

  size_t numOutputs() const { return node.outputs.size(); }
  bool hasOutput(size_t index) const;
  /// True when something reads the output.
  bool isOutputUsed(size_t index) const;
  /// An error when an output that is read has not been bound.
  llvm::LogicalResult checkOutputs();
  /// Refuses results that the importer does not compute, from `index` on.
  llvm::LogicalResult refuseOutputs(size_t index, llvm::StringRef what);

  /// Emits an op whose result type follows from its operands, or the constant
  /// that it computes when its operands are small constants: shape arithmetic
  /// needs no code of its own. Null on error.
  template <typename OpTy, typename... Args>
  mlir::Value create(Args &&...args) {
    mlir::OperationState op(location, OpTy::getOperationName());
    if (broken)
      return {};
    // The inferring build() aborts on user errors, so infer first.
    OpTy::build(state.builder, op, placeholderType(),
                std::forward<Args>(args)...);
    return inferAndCreate(op, [&](llvm::SmallVectorImpl<mlir::Type> &types) {
      return OpTy::inferReturnTypes(context(), location, op.operands,
                                    op.attributes.getDictionary(context()),
                                    op.getRawProperties(), op.regions, types);
    });
  }
  /// Emits an op of the given result type. Null on error.
  template <typename OpTy, typename... Args>
  mlir::Value createTyped(mlir::Type type, Args &&...args) {
    if (broken || mlir::failed(checkType(type)))
      return {};
    return folded(OpTy::create(state.builder, location, type,
                               std::forward<Args>(args)...));
  }
  /// Emits a constant, of quantised elements when a type is given for them.
  mlir::Value createConstant(const HostTensor &tensor,
                             mlir::Type quantized = {});
  mlir::Value createConstant(Tensor tensor) {
    return createConstant(std::make_shared<const Tensor>(std::move(tensor)));
  }
  /// nn.reshape to `shape`, or `value` itself when it has that shape.
  mlir::Value createReshape(mlir::Value value, llvm::ArrayRef<int64_t> shape);
  /// nn.broadcast to `shape`, or `value` itself when it has that shape.
  mlir::Value createBroadcast(mlir::Value value, llvm::ArrayRef<int64_t> shape);
  /// A constant of 64-bit integers.
  mlir::Value createInts(llvm::ArrayRef<int64_t> shape,
                         llvm::ArrayRef<int64_t> values) {
    return createConstant(fromInts(DataType::Int64, shape, values));
  }
  /// A float constant of one element.
  mlir::Value createScalar(float value);
  /// A float constant of that shape, all of whose elements are `value`.
  mlir::Value createFilled(llvm::ArrayRef<int64_t> shape, float value);
  /// A constant of one element of the number type `element`.
  mlir::Value createScalar(mlir::Type element, double value);
  /// nn.cast to the element type, or `value` itself when it has that type.
  mlir::Value createCast(mlir::Value value, mlir::Type element);

  /// Binds a result; fails when `value` is null.
  llvm::LogicalResult result(mlir::Value value, size_t index = 0);
  llvm::LogicalResult result(const ImportedValue &value, size_t index);
  llvm::LogicalResult result(Tensor constant);
  llvm::LogicalResult result(HostTensor constant);
  /// The result is the operand.
  llvm::LogicalResult forward(size_t input, size_t output = 0);

private:
  /// The operand when its element type is accepted; an error that says `what`
  /// was expected otherwise.
  mlir::Value inputOf(size_t index,
                      llvm::function_ref<bool(mlir::Type)> accepts,
                      llvm::StringRef what);
  /// The result of `op`, or of the constant that takes its place.
  mlir::Value folded(mlir::Operation *op);
  const Attribute *find(llvm::StringRef name, AttributeKind kind);
  mlir::Type placeholderType() const;
  mlir::Value inferAndCreate(mlir::OperationState &op,
                             llvm::function_ref<llvm::LogicalResult(
                                 llvm::SmallVectorImpl<mlir::Type> &)>
                                 infer);
  llvm::LogicalResult checkType(mlir::Type type);
  /// Counts nodes and ops of loops and functions; an error when they are too
  /// many.
  llvm::LogicalResult unroll(int64_t count);

  ImportState &state;
  const Node &node;
  int64_t version;
  std::string fullName;
  mlir::Location location;
  bool broken = false;
  llvm::StringSet<> read;
};

/// The constant that a value is, or null.
HostTensor constantOf(const ImportedValue &value);

/// A shape as text: "1x3x32x32", "scalar" for rank 0.
std::string shapeText(llvm::ArrayRef<int64_t> shape);

} // namespace cim::onnx

#endif // CIM_LIB_FRONTEND_ONNX_NODEBINDER_H
