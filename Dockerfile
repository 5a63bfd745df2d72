# The command line with the CPU build of torch:
#     docker build --tag sktspulse .
#     docker run --rm --user "$(id -u)" --volume "$PWD:/data" sktspulse demo
FROM python:3.11-slim AS wheel
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY sktspulse sktspulse
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.11-slim
ENV MPLCONFIGDIR=/tmp PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
COPY constraints.txt /tmp/
# torch's own tests and headers are a tenth of it. The demonstration checks the image and compiles
# the modules that are used, which are a quarter of all.
RUN --mount=type=bind,from=wheel,source=/wheels,target=/wheels \
    pip install --no-cache-dir --no-compile --constraint /tmp/constraints.txt \
        --extra-index-url https://download.pytorch.org/whl/cpu \
        "$(echo /wheels/*.whl)[cli,plot]" \
    && cd "$(python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/torch" \
    && rm -r test include \
    && find bin -mindepth 1 ! -name torch_shm_manager -delete \
    && cd /tmp && sktspulse demo && rm -r sktspulse-figures
WORKDIR /data
ENTRYPOINT ["sktspulse"]
CMD ["demo"]
