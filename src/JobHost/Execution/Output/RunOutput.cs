using System.Globalization;
using System.Text;
using JobHost.Jobs;
using JobHost.Runs;
using JobHost.Worker.Running;

namespace JobHost.Execution.Output;

/// <summary>
/// Writes what a run prints into its files, without secrets, each up to the job's limit; what exceeds it is counted and said once.
/// </summary>
internal sealed class RunOutput(RunFolders folders, RunId id, long limit, Secrets secrets) : IDisposable
{
    private readonly Lock gate = new();
    private long written;

    private readonly CappedFile log = new(folders.File(id, OutputStream.Log), limit, secrets);
    private readonly CappedFile stdout = new(folders.File(id, OutputStream.Stdout), limit, secrets);
    private readonly CappedFile stderr = new(folders.File(id, OutputStream.Stderr), limit, secrets);

    /// <summary>Bytes that this attempt has printed so far, kept or not.</summary>
    internal long Written => Interlocked.Read(ref written);

    internal void Write(OutputStream stream, ReadOnlySpan<byte> bytes)
    {
        Interlocked.Add(ref written, bytes.Length);
        lock (gate)
        {
            FileOf(stream).Append(bytes);
        }
    }

    internal void WriteLog(IReadOnlyList<string> lines, long lost)
    {
        if (lines.Count == 0 && lost == 0)
        {
            return;
        }
        var text = new StringBuilder();
        foreach (var line in lines)
        {
            text.Append(line).Append('\n');
        }
        if (lost > 0)
        {
            text.Append(CultureInfo.InvariantCulture, $"[{lost} lines were written faster than they could be kept]\n");
        }
        Write(OutputStream.Log, Encoding.UTF8.GetBytes(text.ToString()));
    }

    /// <summary>Carries the lines that the job has logged since the last time into its file.</summary>
    internal void Collect(RunContext context) => WriteLog(context.Log.Take(out var lost), lost);

    /// <summary>Writes how much was dropped and closes the files.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            log.Finish();
            stdout.Finish();
            stderr.Finish();
        }
    }

    private CappedFile FileOf(OutputStream stream) =>
        stream switch
        {
            OutputStream.Stdout => stdout,
            OutputStream.Stderr => stderr,
            _ => log,
        };

    /// <summary>An append-only file that is made with its first byte.</summary>
    private sealed class CappedFile(string path, long limit, Secrets secrets) : IDisposable
    {
        private readonly OutputMask mask = new(secrets);
        private FileStream? file;
        private long length;
        private long dropped;

        internal void Append(ReadOnlySpan<byte> bytes) => mask.Write(bytes, Keep);

        private void Keep(ReadOnlySpan<byte> bytes)
        {
            if (bytes.IsEmpty)
            {
                return;
            }
            try
            {
                if (file is null)
                {
                    Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                    // Shared for reading and deleting: logs are followed while they grow.
                    file = new(
                        path,
                        FileMode.Append,
                        FileAccess.Write,
                        FileShare.ReadWrite | FileShare.Delete,
                        bufferSize: 0
                    );
                    length = file.Length;
                }
                var room = (int)Math.Clamp(limit - length, 0, bytes.Length);
                file.Write(bytes[..room]);
                length += room;
                dropped += bytes.Length - room;
            }
            catch (Exception full) when (full is IOException or UnauthorizedAccessException)
            {
                // A full disk must not stop the job from being read, or the run from being recorded.
                dropped += bytes.Length;
            }
        }

        internal void Finish()
        {
            mask.Finish(Keep);
            if (dropped > 0 && file is not null)
            {
                try
                {
                    var note = $"\n[{dropped} more bytes were not kept: the output limit is {limit} bytes]\n";
                    file.Write(Encoding.UTF8.GetBytes(note));
                }
                catch (IOException)
                {
                    // As above.
                }
                dropped = 0;
            }
            Dispose();
        }

        public void Dispose()
        {
            file?.Dispose();
            file = null;
        }
    }
}
