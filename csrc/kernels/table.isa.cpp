// One instance of the kernel table for the instruction set this file is compiled for.
#include "kernels/table.h"

namespace ranvier::RANVIER_ISA {

extern const KernelTable kTable;
const KernelTable kTable = {
    RANVIER_ISA_NAME,
#define RANVIER_KERNEL(name, ...) &name,
#include "kernels/kernels.def"
#undef RANVIER_KERNEL
};

}  // namespace ranvier::RANVIER_ISA
