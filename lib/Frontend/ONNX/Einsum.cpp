// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Einsum as diagonals, sums, transposes and matrix products, operand by
// operand. A constant operand becomes the weights of its product.
#include "Products.h"
#include "llvm/ADT/SmallSet.h"
#include "llvm/ADT/StringExtras.h"
#include <map>

using namespace mlir;

namespace cim::onnx {

namespace {

/// A letter of the equation. The dimensions of an ellipsis are numbered from
/// the last: 256, 257, ...
using Label = int;
using Labels = SmallVector<Label>;

constexpr Label firstEllipsis = 256;

/// A tensor with a label for every dimension.
struct Term {
  Value value;
  Labels labels;

  bool has(Label label) const { return llvm::is_contained(labels, label); }
  ArrayRef<int64_t> shape() const {
    return cast<ShapedType>(value.getType()).getShape();
  }
};

class Einsum {
public:
  explicit Einsum(NodeBinder &b) : b(b) {}

  LogicalResult run();

private:
  LogicalResult readEquation();
  FailureOr<Labels> readLabels(StringRef text, int64_t ellipsis);
  LogicalResult readOperand(size_t index, StringRef text);
  LogicalResult readOutput(std::optional<StringRef> text);
  LogicalResult bindExtents();

  void takeDiagonal(Term &term, size_t first, size_t second);
  LogicalResult simplify(Term &term);
  void sumOver(Term &term, ArrayRef<Label> labels);
  Term combine(Term left, Term right, ArrayRef<Term> later);
  Value arrange(const Term &term, std::initializer_list<ArrayRef<Label>> order);
  Value merge(Value value, ArrayRef<ArrayRef<Label>> groups);
  Value contract(const Term &left, const Term &right, ArrayRef<Label> batch,
                 ArrayRef<Label> rows, ArrayRef<Label> columns,
                 ArrayRef<Label> depth);
  Value multiply(const Term &left, const Term &right, ArrayRef<Label> batch,
                 ArrayRef<Label> rows, ArrayRef<Label> columns);
  SmallVector<int64_t> extentsOf(ArrayRef<Label> labels);

  NodeBinder &b;
  SmallVector<Term> terms;
  Labels output;
  int64_t ellipsisRank = 0;
  std::map<Label, int64_t> extents;
};

} // namespace

//===----------------------------------------------------------------------===//
// The equation
//===----------------------------------------------------------------------===//

static constexpr StringLiteral ellipsisText = "...";

/// The labels of a term whose ellipsis stands for `ellipsis` dimensions.
FailureOr<Labels> Einsum::readLabels(StringRef text, int64_t ellipsis) {
  Labels labels;
  bool seen = false;
  while (!text.empty()) {
    if (!seen && text.consume_front(ellipsisText)) {
      seen = true;
      for (int64_t i = ellipsis; i-- > 0;)
        labels.push_back(firstEllipsis + i);
    } else if (llvm::isAlpha(text.front())) {
      labels.push_back(text.front());
      text = text.drop_front();
    } else {
      return b.error() << "expected letters and at most one '...' per term of "
                          "the equation, but got '"
                       << text << "'";
    }
  }
  return labels;
}

LogicalResult Einsum::readOperand(size_t index, StringRef text) {
  Value value = b.floatInput(index);
  if (!value)
    return failure();
  int64_t rank = cast<ShapedType>(value.getType()).getRank(), ellipsis = 0;
  if (text.contains(ellipsisText)) {
    ellipsis = rank - static_cast<int64_t>(text.size() - ellipsisText.size());
    ellipsisRank = std::max(ellipsisRank, ellipsis);
  }
  FailureOr<Labels> labels = readLabels(text, ellipsis);
  if (failed(labels))
    return failure();
  if (static_cast<int64_t>(labels->size()) != rank || ellipsis < 0)
    return b.error() << "term '" << text << "' of the equation does not fit "
                     << "operand " << index << " of rank " << rank;
  terms.push_back({value, std::move(*labels)});
  return success();
}

LogicalResult Einsum::readOutput(std::optional<StringRef> text) {
  if (text) {
    FailureOr<Labels> labels = readLabels(*text, ellipsisRank);
    if (failed(labels))
      return failure();
    output = std::move(*labels);
    return success();
  }
  // The ellipsis, then letters that occur once, in the order of their codes.
  std::map<Label, int64_t> occurrences;
  for (const Term &term : terms)
    for (Label label : term.labels)
      ++occurrences[label];
  for (int64_t i = ellipsisRank; i-- > 0;)
    output.push_back(firstEllipsis + i);
  for (auto [label, times] : occurrences)
    if (label < firstEllipsis && times == 1)
      output.push_back(label);
  return success();
}

/// Dimensions of one label have one extent, or 1 and are broadcast.
LogicalResult Einsum::bindExtents() {
  auto name = [](Label label) {
    return label < firstEllipsis ? std::string(1, static_cast<char>(label))
                                 : ellipsisText.str();
  };
  for (const Term &term : terms)
    for (auto [label, extent] : llvm::zip_equal(term.labels, term.shape())) {
      int64_t &known = extents.try_emplace(label, extent).first->second;
      if (known != extent && known != 1 && extent != 1)
        return b.error() << "label '" << name(label) << "' of the equation has "
                         << "extents " << known << " and " << extent;
      known = std::max(known, extent);
    }
  llvm::SmallSet<Label, 8> seen;
  for (Label label : output) {
    if (!extents.count(label))
      return b.error() << "label '" << name(label)
                       << "' of the result is in no term of an operand";
    if (!seen.insert(label).second)
      return b.error() << "label '" << name(label)
                       << "' of the result is there twice";
  }
  return success();
}

LogicalResult Einsum::readEquation() {
  std::string equation;
  for (char c : b.getString("equation", ""))
    if (c != ' ')
      equation += c;
  auto [operands, result] = StringRef(equation).split("->");
  bool isExplicit = StringRef(equation).contains("->");
  SmallVector<StringRef> texts;
  operands.split(texts, ',');
  if (texts.size() != b.numInputs())
    return b.error() << "expected an equation with " << b.numInputs()
                     << " terms, but got '" << equation << "'";
  for (auto [index, text] : llvm::enumerate(texts))
    if (failed(readOperand(index, text)))
      return failure();
  if (failed(readOutput(isExplicit ? std::optional(result) : std::nullopt)))
    return failure();
  return bindExtents();
}

//===----------------------------------------------------------------------===//
// One term
//===----------------------------------------------------------------------===//

static Labels without(ArrayRef<Label> labels, ArrayRef<Label> excluded) {
  Labels rest;
  for (Label label : labels)
    if (!llvm::is_contained(excluded, label))
      rest.push_back(label);
  return rest;
}

/// Permutes `term` to the labels of `order`, which are all that it has.
Value Einsum::arrange(const Term &term,
                      std::initializer_list<ArrayRef<Label>> order) {
  SmallVector<int64_t> permutation;
  for (ArrayRef<Label> labels : order)
    for (Label label : labels)
      permutation.push_back(llvm::find(term.labels, label) -
                            term.labels.begin());
  return llvm::is_sorted(permutation)
             ? term.value
             : b.create<nn::TransposeOp>(term.value, permutation);
}

/// Elements (i, i) of two dimensions, which become the last: those `extent` + 1
/// apart once the two are one.
void Einsum::takeDiagonal(Term &term, size_t first, size_t second) {
  Label label = term.labels[first];
  int64_t extent = term.shape()[first];
  SmallVector<int64_t> permutation, shape;
  Labels rest;
  for (size_t i = 0; i < term.labels.size(); ++i) {
    if (i == first || i == second)
      continue;
    permutation.push_back(i);
    shape.push_back(term.shape()[i]);
    rest.push_back(term.labels[i]);
  }
  permutation.append({int64_t(first), int64_t(second)});
  rest.push_back(label);
  shape.push_back(extent * extent);
  Value flat = b.createReshape(
      b.create<nn::TransposeOp>(term.value, permutation), shape);
  SmallVector<int64_t> starts(shape.size(), 0), steps(shape.size(), 1);
  shape.back() = extent;
  steps.back() = extent + 1;
  term = {b.create<nn::SliceOp>(flat, starts, shape, steps), rest};
}

/// Two dimensions with one label.
static std::optional<std::pair<size_t, size_t>>
findRepeated(ArrayRef<Label> labels) {
  for (size_t first = 0; first < labels.size(); ++first)
    for (size_t second = first + 1; second < labels.size(); ++second)
      if (labels[first] == labels[second])
        return std::pair(first, second);
  return std::nullopt;
}

/// Takes repeated labels together, and dimensions away that are broadcast.
LogicalResult Einsum::simplify(Term &term) {
  while (auto repeated = findRepeated(term.labels)) {
    auto [first, second] = *repeated;
    if (term.shape()[first] != term.shape()[second])
      return b.error() << "expected equal extents along a diagonal, but got "
                       << shapeText(term.shape());
    takeDiagonal(term, first, second);
    if (b.failed())
      return failure();
  }
  SmallVector<int64_t> shape;
  Labels labels;
  for (auto [label, extent] : llvm::zip_equal(term.labels, term.shape())) {
    if (extent != extents[label])
      continue;
    shape.push_back(extent);
    labels.push_back(label);
  }
  term = {b.createReshape(term.value, shape), labels};
  return success(!b.failed());
}

void Einsum::sumOver(Term &term, ArrayRef<Label> labels) {
  SmallVector<int64_t> axes;
  for (auto [i, label] : llvm::enumerate(term.labels))
    if (llvm::is_contained(labels, label))
      axes.push_back(i);
  if (axes.empty())
    return;
  term = {b.create<nn::ReduceOp>(term.value, nn::Reduction::Sum, axes, false),
          without(term.labels, labels)};
}

//===----------------------------------------------------------------------===//
// Two terms
//===----------------------------------------------------------------------===//

/// `value` with one dimension for each group of its labels.
Value Einsum::merge(Value value, ArrayRef<ArrayRef<Label>> groups) {
  SmallVector<int64_t> shape;
  for (ArrayRef<Label> group : groups) {
    shape.push_back(1);
    for (Label label : group)
      shape.back() *= extents[label];
  }
  return b.createReshape(value, shape);
}

/// The sum over `depth`: a matrix product for each of `batch`. Without a batch
/// the right operand is one matrix, which a crossbar can hold, and the rows
/// stay what they are.
Value Einsum::contract(const Term &left, const Term &right,
                       ArrayRef<Label> batch, ArrayRef<Label> rows,
                       ArrayRef<Label> columns, ArrayRef<Label> depth) {
  SmallVector<ArrayRef<Label>> a, w;
  for (size_t i = 0; i < batch.size(); ++i) {
    a.push_back(batch.slice(i, 1));
    w.push_back(batch.slice(i, 1));
  }
  if (batch.empty() && rows.size() > 1)
    for (size_t i = 0; i < rows.size(); ++i)
      a.push_back(rows.slice(i, 1));
  else
    a.push_back(rows);
  a.push_back(depth);
  // Whichever way the right operand lies.
  bool isTransposed = llvm::equal(
      right.labels, llvm::concat<const Label>(batch, columns, depth));
  ArrayRef<Label> first = isTransposed ? columns : depth;
  ArrayRef<Label> last = isTransposed ? depth : columns;
  w.append({first, last});
  return b.create<nn::MatMulOp>(merge(arrange(left, {batch, rows, depth}), a),
                                merge(arrange(right, {batch, first, last}), w),
                                Value(), isTransposed);
}

SmallVector<int64_t> Einsum::extentsOf(ArrayRef<Label> labels) {
  return llvm::map_to_vector(labels,
                             [&](Label label) { return extents[label]; });
}

/// Without a sum: elements of `batch` with their like, others with all.
Value Einsum::multiply(const Term &left, const Term &right,
                       ArrayRef<Label> batch, ArrayRef<Label> rows,
                       ArrayRef<Label> columns) {
  SmallVector<int64_t> leftShape = extentsOf(batch), rightShape(leftShape);
  llvm::append_range(leftShape, extentsOf(rows));
  leftShape.append(columns.size(), 1);
  rightShape.append(rows.size(), 1);
  llvm::append_range(rightShape, extentsOf(columns));
  return b.create<nn::MulOp>(
      b.createReshape(arrange(left, {batch, rows}), leftShape),
      b.createReshape(arrange(right, {batch, columns}), rightShape));
}

/// The product of two terms, summed over what nobody needs any more.
Term Einsum::combine(Term left, Term right, ArrayRef<Term> later) {
  if (b.isConstant(left.value) && !b.isConstant(right.value))
    std::swap(left, right);
  auto isNeeded = [&](Label label) {
    return llvm::is_contained(output, label) ||
           llvm::any_of(later,
                        [&](const Term &term) { return term.has(label); });
  };
  Labels batch, rows, columns, depth, unneeded;
  for (Label label : left.labels) {
    bool isShared = right.has(label);
    Labels &kind = isNeeded(label) ? (isShared ? batch : rows)
                                   : (isShared ? depth : unneeded);
    kind.push_back(label);
  }
  for (Label label : right.labels)
    if (!left.has(label))
      (isNeeded(label) ? columns : unneeded).push_back(label);
  sumOver(left, unneeded);
  sumOver(right, unneeded);
  if (b.failed())
    return {};
  Labels labels(batch);
  llvm::append_range(labels, rows);
  llvm::append_range(labels, columns);
  Value product = depth.empty()
                      ? multiply(left, right, batch, rows, columns)
                      : contract(left, right, batch, rows, columns, depth);
  return {b.createReshape(product, extentsOf(labels)), labels};
}

LogicalResult Einsum::run() {
  if (failed(readEquation()))
    return failure();
  for (Term &term : terms)
    if (failed(simplify(term)))
      return failure();
  Term result = terms.front();
  ArrayRef<Term> rest = terms;
  while (!(rest = rest.drop_front()).empty() && !b.failed())
    result = combine(result, rest.front(), rest.drop_front());
  if (b.failed())
    return failure();
  sumOver(result, without(result.labels, output));
  return b.failed() ? failure() : b.result(arrange(result, {output}));
}

static LogicalResult importEinsum(NodeBinder &b) { return Einsum(b).run(); }

void registerEinsum(HandlerTable &table) {
  table.add("Einsum", {Place::Crossbar, "float"}, {{12, importEinsum}});
}

} // namespace cim::onnx
