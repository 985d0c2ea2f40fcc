namespace JobHost.Server.Tests.Support;

/// <summary>The repository that these tests were built from.</summary>
public static class Repository
{
    /// <summary>The folder of the solution.</summary>
    public static string Root { get; } = Find();

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "JobHost.sln")))
            {
                return folder.FullName;
            }
        }
        throw new InvalidOperationException("JobHost.sln is not above the tests.");
    }
}
