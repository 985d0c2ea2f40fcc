namespace JobHost.Worker.Running;

/// <summary>The files of a run that lie beside its working directory, for the host and for the worker alike.</summary>
internal static class RunFiles
{
    internal static string Artifacts(string workingDirectory) => Beside(workingDirectory, "artifacts");

    internal static string Result(string workingDirectory) => Beside(workingDirectory, "result.json");

    internal static string Parameters(string workingDirectory) => Beside(workingDirectory, "parameters.json");

    private static string Beside(string workingDirectory, string name) =>
        Path.Join(Path.GetDirectoryName(workingDirectory), name);
}
