// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reading and making the numbers behind an attribute, whether they are inline
// (`dense<..>`) or a resource (`dense_resource<..>`).
#ifndef CIM_DIALECT_CIM_TRANSFORMS_ELEMENTS_H
#define CIM_DIALECT_CIM_TRANSFORMS_ELEMENTS_H

#include "mlir/IR/AsmState.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include <cstring>
#include <vector>

namespace cim {

/// The values of `attribute` in row-major order; T must have the width of its
/// elements (one byte for i8 and ui8). Fails, with an error at `location`,
/// when a resource has no or too little data, or the attribute is of another
/// kind or width.
template <typename T>
llvm::FailureOr<std::vector<T>> readElements(mlir::Location location,
                                             mlir::ElementsAttr attribute) {
  auto type = llvm::cast<mlir::ShapedType>(
      llvm::cast<mlir::TypedAttr>(attribute).getType());
  constexpr int64_t maxElements = int64_t(1) << 32;
  if (type.getNumElements() > maxElements)
    return mlir::emitError(location)
           << "expected at most " << maxElements << " values, but got " << type;
  std::vector<T> values(type.getNumElements());
  if (type.getElementTypeBitWidth() != 8 * sizeof(T))
    return mlir::emitError(location) << "expected values of " << 8 * sizeof(T)
                                     << " bits, but got " << type;
  if (auto resource =
          llvm::dyn_cast<mlir::DenseResourceElementsAttr>(attribute)) {
    mlir::AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    if (!blob || blob->getData().size() < values.size() * sizeof(T))
      return mlir::emitError(location)
             << "expected " << values.size() * sizeof(T)
             << " bytes in resource '" << resource.getRawHandle().getKey()
             << "', but got " << (blob ? blob->getData().size() : 0)
             << "; was its data elided when it was printed?";
    std::memcpy(values.data(), blob->getData().data(),
                values.size() * sizeof(T));
    return values;
  }
  auto dense = llvm::dyn_cast<mlir::DenseElementsAttr>(attribute);
  if (!dense)
    return mlir::emitError(location)
           << "expected dense or dense_resource values, but got " << attribute;
  llvm::ArrayRef<char> raw = dense.getRawData();
  if (values.empty())
    return values;
  if (dense.isSplat()) {
    T value;
    std::memcpy(&value, raw.data(), sizeof(T));
    std::fill(values.begin(), values.end(), value);
  } else {
    std::memcpy(values.data(), raw.data(), values.size() * sizeof(T));
  }
  return values;
}

/// An attribute with `values`: inline while it is small enough to be read by a
/// person, else a resource called like `name`. T and the element type of
/// `type` have the same width.
template <typename T>
mlir::ElementsAttr makeElements(mlir::RankedTensorType type,
                                llvm::ArrayRef<T> values,
                                llvm::StringRef name) {
  constexpr size_t inlineBytes = 512;
  llvm::ArrayRef<char> bytes(reinterpret_cast<const char *>(values.data()),
                             values.size() * sizeof(T));
  if (bytes.size() <= inlineBytes)
    return mlir::DenseElementsAttr::getFromRawBuffer(type, bytes);
  return mlir::DenseResourceElementsAttr::get(
      type, name,
      mlir::HeapAsmResourceBlob::allocateAndCopyWithAlign(
          bytes, alignof(T), /*dataIsMutable=*/false));
}

} // namespace cim

#endif // CIM_DIALECT_CIM_TRANSFORMS_ELEMENTS_H
