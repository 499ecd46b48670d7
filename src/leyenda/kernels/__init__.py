"""What a CPU with tiles for bf16 (AMX) computes in C, because it takes several passes over memory in torch.

Compiled when leyenda is installed, where there is a C compiler; see `leyenda.kernels.library`.
"""
