using System.Buffers;
using System.IO.MemoryMappedFiles;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;

namespace JobHost.Worker.Bodies;

/// <summary>
/// JSON that is read where it lies in a file, without ever being on the heap as a whole: the pages are the system's, which
/// drops them when it likes. What was read from it is gone with it; values of other types are their own.
/// </summary>
public sealed unsafe class MappedJson : MemoryManager<byte>
{
    private readonly MemoryMappedFile map;
    private readonly MemoryMappedViewAccessor view;
    private readonly byte* start;
    private readonly int length;
    private readonly JsonDocument document;
    private bool isDisposed;

    private MappedJson(SafeFileHandle file, int depth)
    {
        length = (int)Math.Min(RandomAccess.GetLength(file), int.MaxValue);
        map = MemoryMappedFile.CreateFromFile(
            file,
            mapName: null,
            capacity: 0,
            MemoryMappedFileAccess.Read,
            HandleInheritability.None,
            leaveOpen: true
        );
        view = map.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        try
        {
            document = JsonDocument.Parse(Memory, new() { MaxDepth = depth, AllowDuplicateProperties = false });
        }
        catch
        {
            Unmap();
            throw;
        }
    }

    /// <summary>The whole.</summary>
    public JsonElement Root => document.RootElement;

    /// <summary>Reads a file.</summary>
    /// <param name="file">Not empty, and below 2 GiB; stays open.</param>
    /// <param name="depth">How deep it may be.</param>
    /// <exception cref="JsonException">It is no JSON.</exception>
    public static MappedJson Open(SafeFileHandle file, int depth = 32) => new(file, depth);

    /// <summary>The SHA-256 of the file, in hexadecimal digits.</summary>
    public string Hash() => Convert.ToHexStringLower(SHA256.HashData(GetSpan()));

    /// <inheritdoc/>
    public override Span<byte> GetSpan() => new(start, length);

    /// <inheritdoc/>
    public override MemoryHandle Pin(int elementIndex = 0) => new(start + elementIndex);

    /// <inheritdoc/>
    public override void Unpin() { }

    /// <summary>Unmaps it.</summary>
    public void Dispose() => ((IDisposable)this).Dispose();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing && !isDisposed)
        {
            isDisposed = true;
            document.Dispose();
            Unmap();
        }
    }

    private void Unmap()
    {
        view.SafeMemoryMappedViewHandle.ReleasePointer();
        view.Dispose();
        map.Dispose();
    }
}
