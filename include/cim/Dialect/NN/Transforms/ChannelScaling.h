// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Channels of activations whose unit can be chosen without changing what a
// network computes.
#ifndef CIM_DIALECT_NN_TRANSFORMS_CHANNELSCALING_H
#define CIM_DIALECT_NN_TRANSFORMS_CHANNELSCALING_H

#include "cim/Dialect/NN/IR/NN.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/DenseMap.h"
#include <vector>

namespace cim::nn {

/// The indices along one dimension of a value. Channels of one class can only
/// be divided by the same factor.
struct Channels {
  int64_t dim = 0;
  llvm::SmallVector<int32_t> classes;
};

/// Which channels of a function can be divided by positive factors, and the
/// constants that make up for it: what makes a channel is divided, what reads
/// it multiplied. Anything but `nn.conv`, `nn.matmul`, and what commutes with
/// a positive factor per channel, keeps its channels as they are.
class ChannelScaling {
public:
  explicit ChannelScaling(mlir::FunctionOpInterface function);

  /// A layer whose weights can make up for factors of its input.
  struct Reader {
    CrossbarOpInterface op;
    Channels channels;
  };
  llvm::ArrayRef<Reader> readers() const { return allReaders; }

  int32_t classCount() const { return static_cast<int32_t>(parents.size()); }
  /// The class that stands for all that were united with `which`.
  int32_t leader(int32_t which) const;
  /// Whether channels of a class can be divided by anything but 1.
  bool isFree(int32_t which) const { return !isFixed[leader(which)]; }

  /// Divides channels by the factor of their class's leader, 1 for those that
  /// are not free. To be called once; fails, with an error, when constants
  /// cannot be read.
  llvm::LogicalResult divide(llvm::ArrayRef<double> factors);

private:
  /// A constant that `channels` run through: its index along the dimension
  /// that becomes `channels.dim` by broadcasting to `rank` dimensions.
  struct Term {
    mlir::OpOperand *constant;
    Channels channels;
    int64_t rank;
  };
  /// A layer, the channels that it reads (if any are known), and its own.
  struct Layer {
    CrossbarOpInterface op;
    std::optional<Channels> input;
    Channels result;
  };

  Channels makeChannels(int64_t dim, int64_t count);
  void unite(int32_t a, int32_t b);
  void unite(const Channels &a, const Channels &b);
  void fix(mlir::Value value);
  bool isWhollyFixed(const Channels &channels) const;
  /// The channels of an operand in the dimensions of the result of its op.
  std::optional<Channels> align(mlir::OpOperand &operand) const;
  bool addTerm(mlir::OpOperand &operand, const Channels &channels);

  void visit(mlir::Operation *op);
  std::optional<Channels> transfer(mlir::Operation *op);
  std::optional<Channels> visitLayer(CrossbarOpInterface op);
  std::optional<Channels> visitUnary(mlir::Operation *op);
  std::optional<Channels> visitConcat(ConcatOp op);
  std::optional<Channels> visitTerms(mlir::OpOperand &a, mlir::OpOperand &b);
  std::optional<Channels> visitFactors(mlir::OpOperand &a, mlir::OpOperand &b);
  std::optional<Channels> visitGain(mlir::OpOperand &constant,
                                    mlir::OpOperand &other);

  llvm::LogicalResult divideWeights(const Layer &layer,
                                    llvm::ArrayRef<double> factors);
  llvm::LogicalResult divideTerm(const Term &term,
                                 llvm::ArrayRef<double> factors);

  llvm::DenseMap<mlir::Value, Channels> known;
  mutable std::vector<int32_t> parents;
  std::vector<bool> isFixed; // of leaders
  std::vector<Term> terms;
  std::vector<Layer> layers;
  std::vector<Reader> allReaders;
};

} // namespace cim::nn

#endif // CIM_DIALECT_NN_TRANSFORMS_CHANNELSCALING_H
