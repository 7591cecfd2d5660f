// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operands, attributes and results of the node being imported.
#include "NodeBinder.h"
#include "StorageCast.h"
#include "cim/Dialect/NN/Transforms/ConstantFolding.h"
#include "mlir/IR/Diagnostics.h"

using namespace mlir;

namespace cim::onnx {

/// Float constants up to this size are computed at import like integers: they
/// are factors of shapes, not weights.
static constexpr int64_t kMaxHostFloats = 64;

/// Ops on constants up to this size, other than floats, are folded at import.
static constexpr int64_t kMaxFolded = int64_t(1) << 20;

std::string shapeText(ArrayRef<int64_t> shape) {
  if (shape.empty())
    return "scalar";
  std::string text;
  for (int64_t dim : shape)
    text += (text.empty() ? "" : "x") + std::to_string(dim);
  return text;
}

NodeBinder::NodeBinder(ImportState &state, const Node &node)
    : state(state), node(node), version(state.opset(node.domain)),
      fullName(state.scope->prefix + node.label()),
      location(
          NameLoc::get(StringAttr::get(state.builder.getContext(), fullName),
                       state.fileLoc)) {}

InFlightDiagnostic NodeBinder::error() {
  InFlightDiagnostic diagnostic = emitError(location);
  diagnostic << node.op << " '" << fullName << "' (opset " << version << "): ";
  if (broken)
    diagnostic.abandon();
  broken = true;
  return diagnostic;
}

LogicalResult NodeBinder::checkUnrolling(size_t nodes) {
  if (state.depth >= kMaxDepth)
    return error() << "expected subgraphs and functions to be nested at most "
                   << kMaxDepth << " deep";
  // A body without nodes counts too, for the time it takes.
  return unroll(int64_t(nodes) + 1);
}

LogicalResult NodeBinder::unroll(int64_t count) {
  broken |= state.budget < 0; // has been reported
  state.budget -= count;
  if (state.budget >= 0 || broken)
    return mlir::failure(broken);
  return error() << "loops and functions unroll to more than "
                 << kMaxUnrolledNodes << " nodes and the ops they become";
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

const Attribute *NodeBinder::getAttribute(StringRef name) {
  read.insert(name);
  for (const Attribute &attribute : node.attributes)
    if (attribute.name == name)
      return state.resolve(attribute);
  return nullptr;
}

static StringRef kindName(AttributeKind kind) {
  switch (kind) {
  case AttributeKind::Int:
    return "an integer";
  case AttributeKind::Float:
    return "a float";
  case AttributeKind::String:
    return "a string";
  case AttributeKind::Tensor:
    return "a tensor";
  case AttributeKind::Ints:
    return "a list of integers";
  case AttributeKind::Floats:
    return "a list of floats";
  case AttributeKind::Strings:
    return "a list of strings";
  case AttributeKind::SparseTensor:
    return "a sparse tensor";
  case AttributeKind::Graph:
    return "a graph";
  case AttributeKind::Other:
    break;
  }
  return "another kind of value";
}

const Attribute *NodeBinder::find(StringRef name, AttributeKind kind) {
  const Attribute *attribute = getAttribute(name);
  if (!attribute || attribute->kind == kind)
    return attribute;
  error() << "expected attribute '" << name << "' to be " << kindName(kind)
          << ", but found " << kindName(attribute->kind);
  return nullptr;
}

int64_t NodeBinder::getInt(StringRef name, int64_t byDefault) {
  const Attribute *attribute = find(name, AttributeKind::Int);
  return attribute ? attribute->i : byDefault;
}

float NodeBinder::getFloat(StringRef name, float byDefault) {
  const Attribute *attribute = find(name, AttributeKind::Float);
  return attribute ? attribute->f : byDefault;
}

StringRef NodeBinder::getString(StringRef name, StringRef byDefault) {
  const Attribute *attribute = find(name, AttributeKind::String);
  return attribute ? StringRef(attribute->s) : byDefault;
}

std::optional<SmallVector<int64_t>> NodeBinder::getInts(StringRef name) {
  const Attribute *attribute = find(name, AttributeKind::Ints);
  if (!attribute)
    return std::nullopt;
  return llvm::to_vector(attribute->ints);
}

const Graph *NodeBinder::getGraph(StringRef name) {
  const Attribute *attribute = find(name, AttributeKind::Graph);
  if (attribute || broken)
    return attribute ? attribute->graph.get() : nullptr;
  error() << "expected a graph in attribute '" << name << "'";
  return nullptr;
}

std::optional<SmallVector<float>> NodeBinder::getFloats(StringRef name) {
  const Attribute *attribute = find(name, AttributeKind::Floats);
  if (!attribute)
    return std::nullopt;
  return llvm::to_vector(attribute->floats);
}

std::optional<SmallVector<StringRef>> NodeBinder::getStrings(StringRef name) {
  const Attribute *attribute = find(name, AttributeKind::Strings);
  if (!attribute)
    return std::nullopt;
  return SmallVector<StringRef>(attribute->strings.begin(),
                                attribute->strings.end());
}

void NodeBinder::ignore(std::initializer_list<StringRef> names) {
  for (StringRef name : names)
    read.insert(name);
}

void NodeBinder::warnOfUnreadAttributes() {
  bool isFirst = !state.warned.contains(&node);
  for (const Attribute &attribute : node.attributes) {
    if (read.contains(attribute.name) || !isFirst)
      continue;
    state.warned.insert(&node);
    emitWarning(location) << node.op << " '" << fullName << "': attribute '"
                          << attribute.name << "' is not known in opset "
                          << version << " and ignored";
  }
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

bool NodeBinder::hasInput(size_t index) const {
  return index < node.inputs.size() && !node.inputs[index].empty() &&
         !state.find(node.inputs[index])->isOmitted;
}

/// The constant behind a value that was folded, or null.
HostTensor constantOf(const ImportedValue &value) {
  if (value.host)
    return value.host;
  auto constant =
      value.ssa ? value.ssa.getDefiningOp<nn::ConstantOp>() : nullptr;
  if (!constant ||
      isa<quant::QuantizedType>(constant.getType().getElementType()))
    return {};
  std::optional<Tensor> tensor = fromElements(constant.getValue());
  return tensor ? std::make_shared<const Tensor>(std::move(*tensor))
                : HostTensor();
}

ImportedValue *NodeBinder::imported(size_t index) {
  if (!hasInput(index)) {
    error() << "expected an operand " << index << ", but the node has "
            << node.inputs.size() << " inputs";
    return nullptr;
  }
  ImportedValue *found = state.find(node.inputs[index]);
  assert(found && "graph check orders producers first");
  if (found->host && elementBytes(found->host->type) == 0) {
    error() << "operand " << index << " ('" << node.inputs[index]
            << "') has elements of " << typeName(found->host->type)
            << ", which are not supported";
    return nullptr;
  }
  found->host = constantOf(*found);
  return found;
}

Value NodeBinder::emit(ImportedValue &value) {
  if (value.isOmitted)
    return error() << "a value that it needs was left out by the caller",
           Value();
  if (!value.ssa)
    value.ssa = createConstant(value.host);
  return value.ssa;
}

Value NodeBinder::input(size_t index) {
  Value value = quantizedInput(index);
  if (!value || !isa<quant::UniformQuantizedPerAxisType>(
                    cast<ShapedType>(value.getType()).getElementType()))
    return value;
  return toStorage(state.builder, location, value);
}

Value NodeBinder::quantizedInput(size_t index) {
  ImportedValue *value = imported(index);
  // The constant belongs to the value, so that its other readers share it.
  return value ? emit(*value) : Value();
}

Value NodeBinder::plainInput(size_t index) {
  Value value = input(index);
  return value ? toStorage(state.builder, location, value) : Value();
}

/// Integers of 8 to 64 bits.
static bool isNumber(Type type) {
  auto integer = dyn_cast<IntegerType>(type);
  return integer && integer.getWidth() > 1;
}

Value NodeBinder::inputOf(size_t index, function_ref<bool(Type)> accepts,
                          StringRef what) {
  Value value = input(index);
  if (!value)
    return {};
  Type element = cast<ShapedType>(value.getType()).getElementType();
  if (accepts(element))
    return value;
  value = toStorage(state.builder, location, value);
  element = cast<ShapedType>(value.getType()).getElementType();
  if (accepts(element))
    return value;
  error() << "expected operand " << index << " ('" << node.inputs[index]
          << "') to be " << what << ", but got " << element;
  return {};
}

Value NodeBinder::floatInput(size_t index) {
  return inputOf(
      index, [](Type type) { return isa<Float32Type>(type); }, "float");
}

Value NodeBinder::numberInput(size_t index) {
  return inputOf(
      index, [](Type type) { return isa<Float32Type>(type) || isNumber(type); },
      "numbers");
}

Value NodeBinder::integerInput(size_t index) {
  return inputOf(index, isNumber, "integers");
}

Value NodeBinder::boolInput(size_t index) {
  return inputOf(index, [](Type type) { return type.isInteger(1); }, "bool");
}

Value NodeBinder::realInput(size_t index) {
  return inputOf(
      index,
      [](Type type) { return isa<Float32Type, quant::QuantizedType>(type); },
      "float");
}

Value NodeBinder::orderedInput(size_t index) {
  return inputOf(
      index,
      [](Type type) {
        return isa<Float32Type, quant::QuantizedType>(type) || isNumber(type);
      },
      "numbers");
}

HostTensor NodeBinder::host(size_t index) {
  const ImportedValue *value = imported(index);
  return value ? value->host : HostTensor();
}

LogicalResult NodeBinder::reserve(ArrayRef<int64_t> shape,
                                  int64_t bytesPerElement) {
  if (mlir::failed(checkShape(shape)))
    return failure();
  int64_t bytes = bytesPerElement;
  for (int64_t dim : shape)
    if (llvm::MulOverflow(bytes, dim, bytes) || bytes > state.tableBudget)
      return error() << "expected constants that are computed at import to "
                        "take at most "
                     << kTableBytes << " bytes and " << kTableFactor
                     << " times the file together, but it needs one of "
                     << shapeText(shape) << " elements";
  state.tableBudget -= bytes;
  return failure(broken);
}

SmallVector<int64_t> NodeBinder::constantInts(size_t index, StringRef what) {
  HostTensor constant = host(index);
  if (broken)
    return {};
  if (!constant) {
    error() << "expected '" << what << "' (operand " << index << ", '"
            << node.inputs[index]
            << "') to be a constant, but it is computed at run time";
    return {};
  }
  if (isInteger(constant->type))
    return toInts(*constant);
  error() << "expected '" << what << "' (operand " << index
          << ") to hold integers, but got " << typeName(constant->type);
  return {};
}

double NodeBinder::constantNumber(size_t index, StringRef what) {
  HostTensor constant = host(index);
  if (broken)
    return 0;
  if (constant && constant->numElements() == 1)
    return toDoubles(*constant).front();
  error() << "expected '" << what << "' (operand " << index << ", '"
          << node.inputs[index] << "') to be one constant number, but "
          << (constant ? "it has shape " + shapeText(constant->dims)
                       : std::string("it is computed at run time"));
  return 0;
}

int64_t NodeBinder::constantInt(size_t index, StringRef what) {
  SmallVector<int64_t> values = constantInts(index, what);
  if (broken)
    return 0;
  if (values.size() == 1)
    return values.front();
  error() << "expected '" << what << "' (operand " << index
          << ") to be one integer, but it has shape "
          << shapeText(shape(index));
  return 0;
}

SmallVector<int64_t> NodeBinder::shape(size_t index) {
  const ImportedValue *value = imported(index);
  if (!value)
    return {};
  if (value->host)
    return llvm::to_vector(value->host->dims);
  return SmallVector<int64_t>(
      cast<ShapedType>(value->ssa.getType()).getShape());
}

int64_t NodeBinder::normalizeAxis(int64_t axis, int64_t rank) {
  if (axis >= -rank && axis < rank)
    return axis < 0 ? axis + rank : axis;
  error() << "expected an axis in [" << -rank << ", " << rank << "), but got "
          << axis;
  return 0;
}

SmallVector<int64_t> NodeBinder::normalizeAxes(ArrayRef<int64_t> axes,
                                               int64_t rank) {
  SmallVector<int64_t> result;
  for (int64_t axis : axes) {
    int64_t normal = normalizeAxis(axis, rank);
    if (llvm::is_contained(result, normal))
      error() << "expected distinct axes, but got " << axis << " twice";
    if (broken)
      return {};
    result.push_back(normal);
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

bool NodeBinder::hasOutput(size_t index) const {
  return index < node.outputs.size() && !node.outputs[index].empty();
}

bool NodeBinder::isOutputUsed(size_t index) const {
  return hasOutput(index) && state.isUsed(node.outputs[index]);
}

LogicalResult NodeBinder::checkOutputs() {
  for (auto [index, name] : llvm::enumerate(node.outputs))
    if (isOutputUsed(index) && !state.scope->values.contains(name))
      return error() << "output " << index << " ('" << name
                     << "') is not supported";
  return success();
}

LogicalResult NodeBinder::refuseOutputs(size_t index, StringRef what) {
  for (; index < numOutputs(); ++index)
    if (isOutputUsed(index))
      return error() << "output " << index << " (" << what
                     << ") is not supported";
  return success();
}

Type NodeBinder::placeholderType() const {
  return RankedTensorType::get({1}, state.builder.getF32Type());
}

LogicalResult NodeBinder::checkType(Type type) {
  return checkShape(cast<ShapedType>(type).getShape());
}

LogicalResult NodeBinder::checkShape(ArrayRef<int64_t> shape) {
  int64_t bytes = sizeof(int64_t);
  for (int64_t dim : shape)
    if (dim < 0)
      return error() << "expected extents of at least 0, but got "
                     << shapeText(shape);
  // Handlers multiply some extents of a shape in any order: no product of
  // extents may overflow, not even beside an extent of 0.
  for (int64_t dim : shape)
    if (llvm::MulOverflow(bytes, std::max<int64_t>(dim, 1), bytes))
      return error() << "its result of shape " << shapeText(shape)
                     << " is too large for any memory";
  return success();
}

Value NodeBinder::inferAndCreate(
    OperationState &op,
    function_ref<LogicalResult(SmallVectorImpl<Type> &)> infer) {
  // A handler goes on after an operand that it did not get.
  if (llvm::is_contained(op.operands, Value()))
    return error() << "an operand is missing", Value();
  SmallVector<Type> types;
  std::string message;
  {
    ScopedDiagnosticHandler capture(context(), [&](Diagnostic &diagnostic) {
      message += diagnostic.str();
      return success();
    });
    if (mlir::failed(infer(types)) && message.empty())
      message = "its operands do not fit together";
  }
  if (!message.empty())
    return error() << message, Value();
  if (mlir::failed(checkType(types.front())))
    return {};
  op.types.assign(types);
  return folded(state.builder.create(op));
}

/// True for values that are cheap to compute with as constants.
static bool isSmall(Value value) {
  auto type = cast<ShapedType>(value.getType());
  return type.getNumElements() <=
         (type.getElementType().isF32() ? kMaxHostFloats : kMaxFolded);
}

/// The storage of a constant without elements.
static ElementsAttr emptyElements(RankedTensorType type) {
  return DenseElementsAttr::get(type, ArrayRef<mlir::Attribute>());
}

static bool isEmpty(Type type) {
  return cast<ShapedType>(type).getNumElements() == 0;
}

Value NodeBinder::folded(Operation *op) {
  // A node of a loop may become many ops.
  if (state.depth > 1 && mlir::failed(unroll(1)))
    return {};
  Value result = op->getResult(0);
  auto type = cast<RankedTensorType>(result.getType());
  auto replace = [&](ElementsAttr value) -> Value {
    auto constant =
        nn::ConstantOp::create(state.builder, op->getLoc(), type, value);
    op->erase();
    return constant;
  };
  // Without elements a value is known, whatever it is computed from.
  if (isEmpty(type) && dataType(type.getElementType()) != DataType::Undefined)
    return replace(emptyElements(type));
  // Quantised constants keep their integers: they are what arrays store.
  auto isKnown = [](Value operand) {
    return operand.getDefiningOp<nn::ConstantOp>() && isSmall(operand);
  };
  int64_t bytes = type.getNumElements() * int64_t(sizeof(int64_t));
  if (!isa<nn::QuantizeOp, nn::DequantizeOp>(op) && nn::isFoldable(op) &&
      isSmall(result) && bytes <= state.tableBudget &&
      llvm::all_of(op->getOperands(), isKnown))
    if (FailureOr<ElementsAttr> value = nn::foldConstantOp(op);
        succeeded(value)) {
      state.tableBudget -= bytes;
      return replace(*value);
    }
  for (Type operand : op->getOperandTypes())
    if (isEmpty(operand))
      return error() << "expected operands with elements, but got " << operand,
             Value();
  if (llvm::all_of(op->getOperands(),
                   [&](Value v) { return state.isConstant(v); }))
    state.computedConstants.insert(result);
  return result;
}

Value NodeBinder::createConstant(const HostTensor &constant, Type quantized) {
  if (broken)
    return {};
  const Tensor &tensor = *constant;
  std::string name = tensor.name.empty() ? fullName : tensor.name;
  if (!elementType(context(), tensor.type)) {
    error() << "constants of " << typeName(tensor.type) << " ('" << name
            << "') are not supported in the compiled program";
    return {};
  }
  Location loc = NameLoc::get(StringAttr::get(context(), name), state.fileLoc);
  ElementsAttr value = toElementsAttr(context(), constant);
  if (!quantized)
    return nn::ConstantOp::create(state.builder, loc, value);
  return nn::ConstantOp::create(
      state.builder, loc, RankedTensorType::get(tensor.dims, quantized), value);
}

Value NodeBinder::createReshape(Value value, ArrayRef<int64_t> shape) {
  if (broken || !value)
    return {};
  auto type = cast<ShapedType>(value.getType());
  if (type.getShape() == shape)
    return value;
  if (mlir::failed(checkShape(shape)))
    return {};
  int64_t count = llvm::product_of(shape);
  if (count != type.getNumElements())
    return error() << "cannot make " << shapeText(shape) << " of "
                   << shapeText(type.getShape()) << ": "
                   << type.getNumElements() << " elements against " << count,
           Value();
  return createTyped<nn::ReshapeOp>(
      RankedTensorType::get(shape, type.getElementType()), value);
}

Value NodeBinder::createBroadcast(Value value, ArrayRef<int64_t> shape) {
  if (broken || !value || mlir::failed(checkShape(shape)))
    return {};
  auto type = cast<RankedTensorType>(value.getType());
  if (type.getShape() == shape)
    return value;
  return createTyped<nn::BroadcastOp>(type.clone(shape), value);
}

Value NodeBinder::createScalar(float value) {
  return createConstant(fromDoubles(DataType::Float, {}, double(value)));
}

Value NodeBinder::createFilled(ArrayRef<int64_t> shape, float value) {
  auto type = RankedTensorType::get(shape, state.builder.getF32Type());
  if (broken || mlir::failed(checkType(type)))
    return {};
  return nn::ConstantOp::create(state.builder, location,
                                DenseElementsAttr::get(type, value));
}

Value NodeBinder::createScalar(Type element, double value) {
  return createCast(createScalar(static_cast<float>(value)), element);
}

Value NodeBinder::createCast(Value value, Type element) {
  if (broken || !value)
    return {};
  auto type = cast<RankedTensorType>(value.getType());
  if (type.getElementType() == element)
    return value;
  return createTyped<nn::CastOp>(type.clone(element), value);
}

LogicalResult NodeBinder::result(Value value, size_t index) {
  if (broken || !value)
    return failure();
  if (hasOutput(index))
    state.bind(node.outputs[index], {{}, value});
  return success();
}

LogicalResult NodeBinder::result(const ImportedValue &value, size_t index) {
  if (broken)
    return failure();
  if (hasOutput(index))
    state.bind(node.outputs[index], value);
  return success();
}

LogicalResult NodeBinder::result(Tensor constant) {
  if (constant.name.empty())
    constant.name = node.outputs.empty() ? "" : node.outputs.front();
  return result(std::make_shared<const Tensor>(std::move(constant)));
}

LogicalResult NodeBinder::result(HostTensor constant) {
  if (broken)
    return failure();
  if (hasOutput(0))
    state.bind(node.outputs.front(), {state.narrowed(std::move(constant)), {}});
  return success();
}

LogicalResult NodeBinder::forward(size_t input, size_t output) {
  const ImportedValue *value = imported(input);
  if (broken)
    return failure();
  if (hasOutput(output))
    state.bind(node.outputs[output], *value);
  return success();
}

} // namespace cim::onnx
