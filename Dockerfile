# The dashboard in a container, as Hugging Face Spaces runs it: not root, port 7860, data under /data.
FROM python:3.11-slim

RUN useradd --create-home --uid 1000 user \
    && mkdir /data && chown user /data
USER user
WORKDIR /home/user/app
ENV PATH=/home/user/.local/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    FTKIT_HOME=/data \
    FTKIT_HOST=0.0.0.0 \
    FTKIT_PORT=7860

COPY --chown=user requirements.txt .
RUN pip install --no-cache-dir --user -r requirements.txt
COPY --chown=user . .
RUN pip install --no-cache-dir --user --no-deps .

EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:7860/health', timeout=4)"]
# The exec form makes the app process 1, so that it gets SIGTERM itself.
ENTRYPOINT ["python", "app.py"]
