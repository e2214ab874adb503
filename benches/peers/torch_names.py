"""NumPy's names for torch, where torch calls things by others. Nothing is computed here that torch would not."""


def namespace():
    import torch

    def axis(function):
        def call(x, axis=None, keepdims=False):
            if axis is None:
                return function(x)
            return function(x, dim=axis, keepdim=keepdims)

        return call

    class Linalg:
        qr = staticmethod(torch.linalg.qr)
        eigh = staticmethod(torch.linalg.eigh)
        solve = staticmethod(torch.linalg.solve)
        cholesky = staticmethod(torch.linalg.cholesky)
        norm = staticmethod(torch.linalg.vector_norm)
        svd = staticmethod(torch.linalg.svd)

    class Namespace:
        linalg = Linalg
        sum = staticmethod(axis(torch.sum))
        mean = staticmethod(axis(torch.mean))
        max = staticmethod(axis(torch.amax))
        transpose = staticmethod(torch.permute)

        def __getattr__(self, name):
            return getattr(torch, name)

        @staticmethod
        def eye(n):
            return torch.eye(n, dtype=torch.float64)

        @staticmethod
        def concatenate(arrays, axis=0):
            return torch.cat(arrays, dim=axis)

        @staticmethod
        def tensordot(x, y, axes):
            return torch.tensordot(x, y, dims=axes)

    return Namespace()
