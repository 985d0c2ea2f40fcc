using System.Text;

namespace JobHost.Samples.Checksums;

/// <summary>The format that <c>sha256sum</c> prints and <c>sha256sum -c</c> reads.</summary>
/// <seealso href="https://www.gnu.org/software/coreutils/manual/html_node/cksum-output-modes.html"/>
internal static class Sha256Sums
{
    internal const string FileName = "SHA256SUMS";

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);

    /// <summary>Writes the file whole or not at all: one that was cut off would verify without complaint.</summary>
    internal static async Task WriteAsync(
        string path,
        IEnumerable<FileDigest> digests,
        CancellationToken cancellationToken
    )
    {
        var unfinished = path + ".unfinished";
        await using (var writer = new StreamWriter(unfinished, append: false, Utf8, bufferSize: 64 * 1024))
        {
            foreach (var digest in digests)
            {
                await writer.WriteAsync(Line(digest).AsMemory(), cancellationToken);
            }
        }
        File.Move(unfinished, path, overwrite: true);
    }

    /// <summary>One line with its end; a leading backslash says that the name is escaped.</summary>
    internal static string Line(FileDigest digest)
    {
        var path = digest.Path;
        if (path.AsSpan().ContainsAny("\\\n\r"))
        {
            path = path.Replace(@"\", @"\\").Replace("\n", @"\n").Replace("\r", @"\r");
            return $"\\{digest.Sha256}  {path}\n";
        }
        // "sha256sum -c" would read its standard input for a file of this name.
        return path == "-" ? $"{digest.Sha256}  ./-\n" : $"{digest.Sha256}  {path}\n";
    }
}
