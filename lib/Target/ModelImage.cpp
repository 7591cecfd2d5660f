// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The exported object cim_model_v1 as LLVM IR.
#include "MachineCode.h"

#include "cim-c/model.h"
#include "llvm/IR/IRBuilder.h"

using namespace llvm;

namespace cim {

// The struct type below mirrors cim_model_image.
static_assert(offsetof(cim_model_image, manifest) == 16 &&
              offsetof(cim_model_image, data) == 32 &&
              offsetof(cim_model_image, program) == 48 &&
              offsetof(cim_model_image, run) == 64 &&
              sizeof(cim_model_image) == 72);

/// void run(host, inputs, outputs): calls main(host, inputs[0], ..).
static Function *addRun(Module &module, unsigned inputs, unsigned outputs) {
  Function *main = module.getFunction("main");
  // A symbol called main would shadow the application's.
  main->setName("cim_main");
  LLVMContext &context = module.getContext();
  PointerType *pointer = PointerType::get(context, 0);
  auto *type = FunctionType::get(Type::getVoidTy(context),
                                 {pointer, pointer, pointer}, false);
  Function *run =
      Function::Create(type, Function::InternalLinkage, "cim_run", module);
  IRBuilder<> builder(BasicBlock::Create(context, "", run));
  SmallVector<Value *> arguments{run->getArg(0)};
  for (auto [table, count] :
       {std::pair(run->getArg(1), inputs), std::pair(run->getArg(2), outputs)})
    for (unsigned i = 0; i < count; ++i) {
      Value *slot = builder.CreateConstInBoundsGEP1_64(pointer, table, i);
      arguments.push_back(builder.CreateLoad(pointer, slot));
    }
  builder.CreateCall(main, arguments);
  builder.CreateRetVoid();
  return run;
}

/// Bytes with 64-byte alignment; one byte when there are none, so that the
/// pointer is valid.
static GlobalVariable *addBytes(Module &module, StringRef name,
                                StringRef bytes) {
  auto *value = ConstantDataArray::getString(module.getContext(), bytes,
                                             /*AddNull=*/bytes.empty());
  auto *global =
      new GlobalVariable(module, value->getType(), /*isConstant=*/true,
                         GlobalValue::InternalLinkage, value, name);
  global->setAlignment(Align(64));
  return global;
}

void addModelImage(Module &module, const Manifest &manifest, StringRef bytecode,
                   unsigned inputs, unsigned outputs) {
  for (Function &function : module)
    if (!function.isDeclaration())
      function.setLinkage(GlobalValue::InternalLinkage);
  Function *run = addRun(module, inputs, outputs);

  IRBuilder<> builder(module.getContext());
  StringRef data(manifest.data.data(), manifest.data.size());
  Constant *fields[] = {
      builder.getInt32(CIM_MODEL_MAGIC), builder.getInt32(CIM_MODEL_VERSION),
      builder.getInt32(sizeof(cim_model_image)), builder.getInt32(0),
      // Terminated by zero, for those who print it.
      addBytes(module, "cim_manifest",
               StringRef(manifest.json.c_str(), manifest.json.size() + 1)),
      builder.getInt64(manifest.json.size()),
      addBytes(module, "cim_data", data), builder.getInt64(data.size()),
      addBytes(module, "cim_program", bytecode),
      builder.getInt64(bytecode.size()), run};
  Constant *image = ConstantStruct::getAnon(module.getContext(), fields);
  new GlobalVariable(module, image->getType(), /*isConstant=*/true,
                     GlobalValue::ExternalLinkage, image, CIM_MODEL_SYMBOL);
}

} // namespace cim
