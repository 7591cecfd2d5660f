// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The passes that map ask the same questions: runsOnArrays, getWindowGeometry.
#include "MappingPreview.h"
#include "cim/Dialect/CIM/Transforms/NodeName.h"
#include "cim/Dialect/NN/IR/NN.h"
#include "cim/Dialect/NN/Transforms/QuantizationPlan.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace cim {
namespace {

/// One matrix product.
struct Product {
  std::string node, op;
  std::string matrix; ///< rows x columns on the arrays, empty when digital
  std::string reason; ///< why it is digital
  double macs = 0;    ///< per sample
};

class Preview {
public:
  Preview(ModuleOp module, const Arch &arch) : arch(arch) {
    auto attribute = module->getAttrOfType<IntegerAttr>("nn.batch");
    batch = attribute ? static_cast<double>(attribute.getInt()) : 1;
    module.lookupSymbol<func::FuncOp>("main").walk(
        [&](Operation *op) { add(op); });
  }

  void print(llvm::raw_ostream &os) const;

private:
  void add(Operation *op);
  void addProduct(CrossbarOpInterface op);

  const Arch &arch;
  double batch;
  std::vector<Product> products;
  /// Other operations that compute, and how often each occurs.
  llvm::MapVector<StringRef, unsigned> others;
};

/// Multiplications of an op, however it is mapped.
double countMacs(CrossbarOpInterface op) {
  auto elements = [](Value value) {
    return static_cast<double>(
        cast<ShapedType>(value.getType()).getNumElements());
  };
  double outputs = elements(op->getResult(0));
  if (isa<nn::MatMulOp>(op)) {
    auto rows = cast<ShapedType>(op.getCrossbarInput().getType());
    return outputs * static_cast<double>(rows.getShape().back());
  }
  Value weights = op.getCrossbarWeights();
  auto channels = cast<ShapedType>(weights.getType())
                      .getDimSize(op.getCrossbarChannelDim());
  return outputs * elements(weights) / static_cast<double>(channels);
}

void Preview::addProduct(CrossbarOpInterface op) {
  Product product;
  product.node = nodeName(op->getLoc()).str();
  product.op = op->getName().stripDialect().str();
  product.macs = countMacs(op) / batch;
  std::string unused;
  if (arch.isHost())
    product.reason = "target '" + arch.name().str() + "' has no arrays";
  else if (nn::runsOnArrays(op, arch, product.reason)) {
    WindowGeometry geometry = *op.getWindowGeometry(unused);
    product.matrix =
        llvm::formatv("{0} x {1}", geometry.matrixRows(), geometry.outC);
  }
  products.push_back(std::move(product));
}

void Preview::add(Operation *op) {
  if (auto crossbar = dyn_cast<CrossbarOpInterface>(op))
    return addProduct(crossbar);
  if (isa_and_present<nn::NNDialect>(op->getDialect()) &&
      !isa<nn::ConstantOp>(op))
    ++others[op->getName().stripDialect()];
}

void Preview::print(llvm::raw_ostream &os) const {
  size_t nodeWidth = 4, matrixWidth = 6;
  for (const Product &product : products) {
    nodeWidth = std::max(nodeWidth, product.node.size());
    matrixWidth = std::max(matrixWidth, product.matrix.size());
  }
  auto row = [&](StringRef node, StringRef op, StringRef matrix, StringRef macs,
                 const llvm::Twine &place) {
    os << llvm::left_justify(node, nodeWidth) << "  "
       << llvm::left_justify(op, 8) << "  "
       << llvm::left_justify(matrix, matrixWidth) << "  "
       << llvm::right_justify(macs, 14) << "  " << place << "\n";
  };
  row("node", "op", "matrix", "MACs", "runs on");
  double onArrays = 0, all = 0;
  size_t mapped = 0;
  for (const Product &product : products) {
    bool isMapped = product.reason.empty();
    mapped += isMapped;
    all += product.macs;
    onArrays += isMapped ? product.macs : 0;
    row(product.node, product.op, product.matrix,
        llvm::formatv("{0:f0}", product.macs).str(),
        isMapped ? "crossbar" : "digital: " + product.reason);
  }
  if (!others.empty()) {
    os << "digital without matrices: ";
    llvm::interleaveComma(others, os, [&](const auto &entry) {
      os << entry.second << " " << entry.first;
    });
    os << "\n";
  }
  os << llvm::formatv("on crossbars: {0} of {1} matrix products, {2:f0} of "
                      "{3:f0} MACs per sample ({4:f1} %)\n",
                      mapped, products.size(), onArrays, all,
                      all > 0 ? 100 * onArrays / all : 0.0);
}
} // namespace

void printMappingPreview(ModuleOp module, const Arch &arch,
                         llvm::raw_ostream &os) {
  Preview(module, arch).print(os);
}

} // namespace cim
