using System.Text.Json;
using System.Text.Json.Serialization;
using JobHost.Nodes;

namespace JobHost.Server.Security;

/// <summary>
/// The keys that the verb <c>keys</c> makes and revokes: <c>keys.json</c> in the data directory, readable for its owner only. A
/// server that runs sees a change within a second.
/// </summary>
internal sealed class KeyFile(string dataDirectory, bool mayBeShared)
{
    private readonly string path = Path.Combine(dataDirectory, "keys.json");

    /// <summary>Changes with every write; null while there is no file.</summary>
    internal DateTime? ChangedAt
    {
        get
        {
            var file = new FileInfo(path);
            return file.Exists ? file.LastWriteTimeUtc : null;
        }
    }

    /// <exception cref="JobConfigurationException">It cannot be read.</exception>
    internal IReadOnlyList<ApiKey> Read()
    {
        try
        {
            var keys = File.Exists(path)
                ? JsonSerializer.Deserialize(File.ReadAllText(path), KeyJson.Default.ListApiKey) ?? []
                : [];
            return keys.TrueForAll(key => key is { Name: not null, Hash: not null })
                ? keys
                : throw new JsonException("A key has no name or no hash.");
        }
        catch (Exception problem) when (problem is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new JobConfigurationException($"'{path}' cannot be read: {problem.Message}", problem);
        }
    }

    /// <exception cref="JobConfigurationException">It cannot be written.</exception>
    internal void Write(IEnumerable<ApiKey> keys)
    {
        var next = path + ".new";
        try
        {
            DataFolder.Prepare(dataDirectory, mayBeShared);
            File.Delete(next);
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }
            using (var stream = new FileStream(next, options))
            {
                JsonSerializer.Serialize(stream, [.. keys], KeyJson.Default.ListApiKey);
                stream.Flush(flushToDisk: true);
            }
            // Whoever reads it finds the old one or the new one, whole.
            File.Move(next, path, overwrite: true);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new JobConfigurationException($"'{path}' cannot be written: {problem.Message}", problem);
        }
    }
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, WriteIndented = true, UseStringEnumConverter = true)]
[JsonSerializable(typeof(List<ApiKey>))]
internal sealed partial class KeyJson : JsonSerializerContext;
