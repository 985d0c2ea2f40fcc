namespace JobHost.TestHost.Jobs;

/// <summary>A registration that never returns, in every process that is started while its file is there.</summary>
internal static class HangingRegistration
{
    private static string Asked => Path.Join(Path.GetTempPath(), "hang-registration");

    internal static void HangIfAsked()
    {
        if (File.Exists(Asked))
        {
            File.AppendAllText($"{Asked}.hangs", ".");
            Thread.Sleep(Timeout.Infinite);
        }
    }
}
