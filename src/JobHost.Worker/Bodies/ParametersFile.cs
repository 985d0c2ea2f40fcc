using System.Text.Json;

namespace JobHost.Worker.Bodies;

/// <summary>Parameters of a run that are too large to be handed around: where they are, and what they must be.</summary>
/// <param name="Path">The file.</param>
/// <param name="Sha256">Of its bytes, in hexadecimal digits.</param>
internal sealed record ParametersFile(string Path, string Sha256)
{
    /// <summary>Reads what a run is started with, from the file where there is one.</summary>
    /// <exception cref="InvalidDataException">The file is not what it was when the run was accepted.</exception>
    internal static object? Read(
        JobBody body,
        JsonElement? parameters,
        ParametersFile? file,
        out IReadOnlyDictionary<string, string[]> errors
    )
    {
        if (file is null)
        {
            return body.ReadParameters(parameters ?? default, out errors);
        }
        using var handle = File.OpenHandle(file.Path);
        if (RandomAccess.GetLength(handle) > 0)
        {
            using var json = MappedJson.Open(handle);
            if (json.Hash() == file.Sha256)
            {
                return body.ReadParameters(json.Root, out errors);
            }
        }
        throw new InvalidDataException("The parameters are no longer what they were when the run was accepted.");
    }
}
